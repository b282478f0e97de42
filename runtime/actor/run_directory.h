// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a tree's sockets lie: one directory a run, private to the user, below the user's runtime
// directory. It is locked as long as the root lives, so that a later root can tell the directories
// of roots that were killed, and sweeps them.

#include <string>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

/// The user's runtime directory: $TROUPE_RUNTIME_DIR, else $XDG_RUNTIME_DIR/troupe (where that
/// exists and leaves room for the names of sockets), else /tmp/troupe-<uid>. Made with mode 0700
/// when it does not exist. Throws `UsageError` when something is there that is no directory of this
/// user with that mode, or when a symbolic link leads to it.
std::string user_runtime_directory();

/// One run's directory; removed, with what is in it, when this object ends.
class RunDirectory {
 public:
  /// Makes one, and removes those whose roots are gone. Throws `UsageError` as above, and `Error`
  /// when it cannot be made (a full disk, say).
  RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  /// Its path.
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  UniqueFd lock_;
};

/// Removes a run's directory, with what is in it, if its root is gone. Called by the root's
/// orphans, which all end soon; connections that stand are not disturbed. Threads: any. Never
/// throws.
void remove_abandoned_run(const std::string& path) noexcept;

}  // namespace troupe

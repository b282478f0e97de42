// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file into which all actors of a tree write their traces: one event on a line, in the JSON
// form that Chrome and Perfetto read
// (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).

#include <cstddef>
#include <string>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

/// One actor's way into the file: collects lines and appends them with one system call, which the
/// kernel does not mix with those of others. Resource. Writing never throws: when it fails (a full
/// disk) that is logged once, and nothing more is written.
class TraceFile {
 public:
  /// Makes the file anew, for the root.
  static TraceFile create(const std::string& path) { return {path, /*is_first=*/true}; }
  /// Writes on in one that the root has made.
  static TraceFile join(const std::string& path) { return {path, /*is_first=*/false}; }

  /// Adds one event, a JSON object.
  void add(const std::string& event);
  /// Writes what has been collected.
  void flush() noexcept;
  /// Adds the last event of all, and flushes. Without it the file is not quite JSON, but readable:
  /// for the trees whose root was killed.
  void close(const std::string& last_event);

 private:
  TraceFile(std::string path, bool is_first);
  void give_up(int error) noexcept;

  std::string path_;
  UniqueFd fd_;
  std::string lines_;
};

}  // namespace troupe

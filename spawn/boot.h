// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first thing that a child process does: find out that it is one. Call `take_boot_record` at
// the top of the program, on the main thread, before anything is started that could inherit the
// mark. In a process that nobody spawned it costs one look into the environment.

#include <sys/types.h>

#include <optional>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

/// What a child process gets from its parent.
struct Boot {
  Bytes blob;            ///< `SpawnSpec::blob`, octet by octet.
  UniqueFd lifeline;     ///< Open as long as the parent lives; give it to a `LifeLine`, at once.
  UniqueFd parent;       ///< The parent's pidfd, for the same; empty when a launcher is in between.
  pid_t parent_pid = 0;  ///< The parent; 0 when a launcher is in between.
};

/// What somebody who knows what records mean does on the way; each may be null.
struct BootHooks {
  /// What all children of a zygote would do, once: nothing that needs a thread or a descriptor.
  void (*before_forks)() = nullptr;
  /// The parent was dead before this child had come so far, or a zygote's owner has died. Clears up
  /// what the record (a zygote's is that of the first child) names and nobody else may be left to
  /// remove.
  void (*orphaned)(BytesView blob) = nullptr;
};

/// Takes this process' boot record; `nullopt` when this process is not a spawned child.
///
/// The mark of a child is the environment variable `TROUPE_CHILD=<descriptor>:<parent's pid>`. It
/// is unset at once, so that programs started from here are not taken for children; a mark that
/// names another parent than this process has is ignored. The kernel ends this process half a
/// second after its parent's death, from before the program's own initialisers on, until a
/// `LifeLine` takes over.
///
/// A process that was started as the zygote of a `Forkserver` (`:zygote` in the mark) stays in here
/// and forks; this returns in its children. One that a `Launcher` has started (`:launched`, with
/// its own pid) has its life-line as stdin; that is moved away, and stdin is /dev/null.
///
/// Blocks the thread while the parent is still writing. Throws `SpawnFailed` if the record is
/// malformed or incomplete, or if the parent is dead already: the process should then end.
/// Threads: only on the main thread, while there is no other that reads the environment.
std::optional<Boot> take_boot_record(const BootHooks& hooks = {});

namespace detail {

/// The environment variable that marks a child.
inline constexpr const char* child_mark = "TROUPE_CHILD";
/// In it, what a zygote is told by.
inline constexpr const char* zygote_mark = "zygote";
/// In it, what a process is told by that a launcher has started.
inline constexpr const char* launched_mark = "launched";

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// A child's watch on its parent's life. A thread of its own, which no task can hold up, waits for
// the end of the life-line; then it lets the actor cancel itself, and ends the process after a
// short grace whatever the actor does. So no process outlives its parent, stuck ones neither.

#include <chrono>
#include <memory>
#include <string>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// Ends this process soon after its parent's death, and in order where possible. A resource of the
/// main thread; one a process.
///
/// When the life-line ends (or the parent does, even if a fork of it keeps the line open): hangs up
/// on the children added, so that the whole subtree's grace runs at the same time; calls `on_eof`;
/// waits `grace`; removes the paths added; ends the process by
/// `_exit(1)`. Should even that get stuck, the kernel kills the process 250 ms later.
///
/// Threads: make and destroy it on the main thread, which called `take_boot_record`; the other
/// members may be called from any thread.
class LifeLine {
 public:
  /// Starts the watch on `fd`, from which it reads and drops anything that arrives, and on the
  /// parent's pidfd, if there is one. It takes over from the parent-death signal.
  ///
  /// `on_eof` is called on the watcher's thread, once at most; it must be safe there, quick, and
  /// is to bring about the cancellation of the actor. Throws `Error` if no thread can be had.
  LifeLine(UniqueFd fd, UniqueFd parent, UniqueFunction<void()> on_eof,
           std::chrono::milliseconds grace = std::chrono::milliseconds(500));
  LifeLine(const LifeLine&) = delete;
  LifeLine& operator=(const LifeLine&) = delete;
  /// Tells the watch that the actor has come to its orderly end: `on_eof` is not called any more,
  /// nor running. The watch itself goes on until the process has ended, so that an exit which hangs
  /// is ended, too.
  ~LifeLine();

  /// From now on `fn` is called in the place of `on_eof` (null: nothing); if that was due already,
  /// here and now. What was to be called before is not running any more.
  void change_on_eof(UniqueFunction<void()> fn);

  /// Whether the parent is gone, or goes within `limit`. Blocks the thread.
  bool parent_gone_within(std::chrono::milliseconds limit) const;

  /// Removes the file, socket or empty directory `path` on the parent's death: first all files,
  /// then the directories, the last added first.
  void add_path(std::string path);
  /// Takes back one `add_path`; nothing happens if there was none.
  void remove_path(const std::string& path);

  /// Hangs up on a child, given by `Child::lifeline_fd`, on the parent's death.
  ///
  /// Lifetime: `remove_child` before the `Child` is destroyed.
  void add_child(int lifeline_fd);
  /// Takes back `add_child`; nothing happens if there was none.
  void remove_child(int lifeline_fd);

 private:
  class Watcher;

  std::shared_ptr<Watcher> watcher_;  // shared with its thread, which may outlive this
};

}  // namespace troupe

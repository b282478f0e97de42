// SPDX-License-Identifier: Apache-2.0
#pragma once

// A permanent registration for descriptors that signal edges, such as ZeroMQ's: no system call per
// wait.

#include "troupe/runtime/fiber/task.h"

namespace troupe {

class Loop;

/// Watches a descriptor for readability, edge-triggered, with a sticky flag: an edge that comes
/// while nobody waits is seen by the next `wait`. Belongs to the loop in which it is made; one task
/// may wait.
class FdWatch {
 public:
  /// Starts to watch. Lifetime: the descriptor must stay open as long as the watch. Throws
  /// `UsageError` when a task already waits for it.
  explicit FdWatch(int fd);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();

  /// Returns when an edge (or a `poke`) came since the last return. Checkpoint.
  void wait();
  /// Sets the flag by hand, as if an edge had come. Never waits.
  void poke() noexcept;
  /// The descriptor.
  int fd() const noexcept { return fd_; }

 private:
  struct Waiting;

  Loop& loop_;
  int fd_;
  bool flag_ = false;
  Wait* waiting_ = nullptr;
};

}  // namespace troupe

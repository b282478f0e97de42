// SPDX-License-Identifier: Apache-2.0
#pragma once

// A permanent registration for descriptors that signal edges, such as ZeroMQ's: no system call per
// wait.

#include "troupe/runtime/fiber/poller.h"
#include "troupe/runtime/fiber/wake_flag.h"

namespace troupe {

class Loop;

/// Watches a descriptor for readability, edge-triggered, with a sticky flag: an edge that comes
/// while nobody waits is seen by the next `wait`. Belongs to the loop in which it is made; one task
/// may wait.
class FdWatch : private EdgeHandler {
 public:
  /// Starts to watch. Lifetime: the descriptor must stay open as long as the watch. Throws
  /// `UsageError` when a task already waits for it.
  explicit FdWatch(int fd);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();

  /// Returns when an edge (or a `poke`) came since the last return. Checkpoint.
  void wait() { flag_.wait(); }
  /// Sets the flag by hand, as if an edge had come. Never waits.
  void poke() noexcept { flag_.set(); }
  /// The descriptor.
  int fd() const noexcept { return fd_; }

 private:
  void on_edge() noexcept override { flag_.set(); }

  Loop& loop_;
  int fd_;
  WakeFlag flag_{"FdWatch::wait"};
};

}  // namespace troupe

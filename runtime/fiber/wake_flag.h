// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flag that wakes one task: what comes while the task is busy is seen by its next wait. For tasks
// that serve queues which others fill.

#include "troupe/runtime/fiber/task.h"

namespace troupe {

/// A sticky flag for which one task waits. Resource.
class WakeFlag {
 public:
  /// `what` names the wait in task trees.
  explicit WakeFlag(const char* what) noexcept : what_(what) {}
  WakeFlag(const WakeFlag&) = delete;
  WakeFlag& operator=(const WakeFlag&) = delete;

  /// Sets the flag and wakes the task that waits. Never waits.
  void set() noexcept;
  /// Returns when the flag was set since the last return. Checkpoint. Throws `UsageError` when
  /// another task waits.
  void wait();

 private:
  struct Waiting;

  const char* what_;
  bool flag_ = false;
  Wait* waiting_ = nullptr;
};

}  // namespace troupe

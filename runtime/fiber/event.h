// SPDX-License-Identifier: Apache-2.0
#pragma once

// Something that happens once, and for which any number of tasks may wait. An event cannot
// un-happen: to wait for the next of many things use a channel or a `Condition`.

#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

/// A flag that is set once. Resource.
class Event {
 public:
  /// What can be told about an event.
  struct Statistics {
    std::size_t tasks_waiting = 0;  ///< How many tasks wait.
  };

  /// Sets the event and wakes all who wait for it. Setting it again does nothing. Never waits.
  void set() noexcept;
  /// Whether it is set.
  bool is_set() const noexcept { return set_; }
  /// Waits until it is set. Checkpoint, even when it is set.
  void wait();
  /// The same with a waiter of the caller's own kind. `what` names the wait in task trees.
  void wait(Parked& waiter, const char* what);
  /// Counts the waiters.
  Statistics statistics() const noexcept { return {waiters_.size()}; }

 private:
  bool set_ = false;
  ParkingLot waiters_;
};

}  // namespace troupe

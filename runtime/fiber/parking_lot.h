// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fair queue of parked tasks: the part that all primitives share. Waiters are woken in the order
// in which they came; a cancelled waiter leaves without a trace. A waiter knows, when it wakes,
// whether it was its turn, so a cancellation that arrives after the wake-up does not lose it.

#include <cstddef>
#include <exception>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

namespace detail {
struct InParkingLot;
}

/// A waiter of a `ParkingLot`; primitives derive from it to hand things over. Lies on the parked
/// task's stack.
struct Parked : Wait, ListHook<detail::InParkingLot> {};

/// A FIFO of parked tasks. Resource.
class ParkingLot {
 public:
  ParkingLot() = default;
  ParkingLot(const ParkingLot&) = delete;
  ParkingLot& operator=(const ParkingLot&) = delete;

  /// Parks the current task until its turn. `what` names the wait in task trees. Checkpoint.
  void park(const char* what) {
    Parked waiter;
    park(waiter, what);
  }
  /// Parks the current task with a waiter of the caller's own kind. Checkpoint.
  void park(Parked& waiter, const char* what);
  /// Wakes the first waiter, if any, and returns it (valid until it runs).
  Parked* unpark_one() noexcept;
  /// Wakes every waiter. Returns how many.
  std::size_t unpark_all() noexcept;
  /// The first waiter, or null.
  Parked* first() noexcept { return waiters_.first(); }
  /// Whether nobody waits.
  bool empty() const noexcept { return waiters_.empty(); }
  /// How many wait.
  std::size_t size() const noexcept { return waiters_.size(); }

 private:
  IntrusiveList<Parked, detail::InParkingLot> waiters_;
};

}  // namespace troupe

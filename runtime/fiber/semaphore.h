// SPDX-License-Identifier: Apache-2.0
#pragma once

// A number that tasks take from and give back to, for limits that know no owner. To limit how many
// tasks do something at once, `CapacityLimiter` is safer: it knows who holds what.

#include "troupe/runtime/fiber/capacity.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

/// A fair counting semaphore. Anyone may release. Resource; works with `std::scoped_lock`.
class Semaphore {
 public:
  /// What can be told about a semaphore.
  struct Statistics {
    std::size_t value = 0;          ///< How many may acquire without waiting.
    std::size_t tasks_waiting = 0;  ///< How many tasks wait.
  };

  /// Starts at `initial`, and never rises above `max`. Throws `UsageError` if a number is negative,
  /// or `initial` above `max`.
  explicit Semaphore(Capacity initial, Capacity max = unbounded);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Waits until the value is above zero, and takes one of it. Checkpoint; when it throws, nothing
  /// was taken.
  void acquire();
  /// Takes one of the value. Never waits. Throws `WouldBlock` if it is zero.
  void acquire_nowait();
  /// Gives one back: to the first task that waits, else to the value. Never waits. Throws
  /// `UsageError` when the value is at its maximum.
  void release();

  /// `acquire`, by its standard name.
  void lock() { acquire(); }
  /// Takes one of the value; false if it is zero. Never waits.
  bool try_lock() noexcept;
  /// `release`, by its standard name.
  void unlock() { release(); }

  /// How many may acquire without waiting.
  std::size_t value() const noexcept { return value_; }
  /// What the value never rises above; `unbounded` for no limit.
  std::size_t max_value() const noexcept { return max_; }
  /// Tells the value and counts the waiters.
  Statistics statistics() const noexcept { return {value_, waiters_.size()}; }

 private:
  std::size_t value_;
  std::size_t max_;
  ParkingLot waiters_;
};

}  // namespace troupe

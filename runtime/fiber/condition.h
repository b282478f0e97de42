// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waiting, under a lock, for something that another task changes under the same lock. Simpler
// things do for most purposes: an `Event` for what happens once, a channel for values.

#include <concepts>

#include "troupe/runtime/fiber/lock.h"

namespace troupe {

/// A condition variable. Works with `std::scoped_lock`, which takes its lock. Resource.
class Condition {
 public:
  /// What can be told about a condition.
  struct Statistics {
    std::size_t tasks_waiting = 0;     ///< How many tasks wait for a notification.
    Lock::Statistics lock_statistics;  ///< About its lock; who was notified waits for that.
  };

  /// Has a lock of its own.
  Condition() : lock_(own_lock_) {}
  /// Uses a given lock. Lifetime: `lock` outlives the condition.
  explicit Condition(Lock& lock) : lock_(lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Releases the lock, waits to be notified, and acquires the lock again. The task owns the lock
  /// afterwards, also when `Cancelled` is thrown. A notification that was given is delivered, even
  /// if the task's scope is cancelled meanwhile. Checkpoint. Throws `UsageError` when the current
  /// task does not own the lock, `BrokenLock` (without the lock) as `Lock::acquire`.
  void wait();
  /// Waits until `predicate()`, asked under the lock, is true. Checkpoint if it is not; else as
  /// `wait`.
  template <std::predicate Predicate>
  void wait(Predicate predicate) {
    while (!predicate()) wait();
  }
  /// Wakes up to `n` tasks, in the order in which they came. Never waits. Throws `UsageError` when
  /// the current task does not own the lock.
  void notify(std::size_t n = 1);
  /// Wakes all who wait. Never waits. Throws as `notify`.
  void notify_all() { notify(static_cast<std::size_t>(-1)); }

  /// Acquires the lock. Checkpoint.
  void acquire() { lock_.acquire(); }
  /// Acquires the lock if it is free. Never waits. Throws `WouldBlock` if it is not.
  void acquire_nowait() { lock_.acquire_nowait(); }
  /// Releases the lock. Never waits.
  void release() { lock_.release(); }
  /// `acquire`, by its standard name.
  void lock() { lock_.acquire(); }
  /// Acquires the lock if it is free. Never waits.
  bool try_lock() { return lock_.try_lock(); }
  /// `release`, by its standard name.
  void unlock() { lock_.release(); }
  /// Whether a task owns the lock.
  bool locked() const noexcept { return lock_.locked(); }
  /// Counts the waiters, and tells about the lock.
  Statistics statistics() const { return {waiters_.size(), lock_.statistics()}; }

 private:
  struct Waiter;

  bool wait_once();
  static void move_to_lock(Waiter& waiter) noexcept;

  Lock own_lock_;
  Lock& lock_;
  IntrusiveList<Lock::Waiter, detail::InParkingLot> waiters_;
};

}  // namespace troupe

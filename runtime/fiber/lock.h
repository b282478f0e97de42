// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mutual exclusion among the tasks of a loop. Tasks run one at a time, so a lock is needed only
// around code that waits. It is handed over in the order of arrival. Works with `std::scoped_lock`
// and `std::unique_lock`.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/idle_hook.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

class Loop;

namespace detail {
struct LoopRemote;
}

/// The task that owned a lock ended without releasing it: what the lock protects may be half-done,
/// and the lock cannot be used any more. The message names the task.
class BrokenLock : public Error {
 public:
  using Error::Error;
};

/// A fair lock, owned by a task. Not re-entrant. Resource; outlives its owner's use and its
/// waiters.
class Lock {
 public:
  /// What can be told about a lock.
  struct Statistics {
    bool locked = false;            ///< Whether a task owns it.
    std::string owner;              ///< The owner's name; empty when there is none.
    std::size_t tasks_waiting = 0;  ///< How many tasks wait for it.
  };

  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Waits until the current task owns the lock. Checkpoint; when it throws, the task does not own
  /// it. Throws `UsageError` when the task owns it already, `BrokenLock` when its owner ended
  /// without releasing it.
  void acquire();
  /// Takes the lock if it is free. Never waits. Throws `WouldBlock` if it is not; else as
  /// `acquire`.
  void acquire_nowait();
  /// Gives the lock up, to the first task that waits for it. Never waits. Throws `UsageError` when
  /// the current task does not own it.
  void release();

  /// `acquire`, by its standard name.
  void lock() { acquire(); }
  /// Takes the lock if it is free; else returns false. Never waits. Throws as `acquire`.
  bool try_lock();
  /// `release`, by its standard name.
  void unlock() { release(); }

  /// Whether a task owns it.
  bool locked() const noexcept { return owner_ != nullptr; }
  /// Tells the owner and counts the waiters.
  Statistics statistics() const;

 private:
  friend class Condition;

  struct Waiter : Parked {
    bool broken = false;
  };

  // Tasks do not announce their end. While somebody waits, the lock looks at its owner whenever the
  // loop is about to sleep: that is before waiting would be in vain.
  class OwnerWatch final : public IdleHook {
   public:
    explicit OwnerWatch(Lock& lock) : lock_(lock) {}
    void before_idle() noexcept override {
      if (lock_.orphaned()) lock_.break_up();
    }

   private:
    Lock& lock_;
  };

  bool owned_by(const Task& task) const noexcept;
  bool orphaned() const noexcept;
  void break_up() noexcept;
  void set_owner(Task& task);
  bool take_if_free(Loop& loop);
  void pass_on() noexcept;
  void enqueue(Waiter& waiter) noexcept;
  void leave_queue(const Waiter& waiter);
  void require_owner(const char* who) const;
  [[noreturn]] void throw_broken() const;

  Task* owner_ = nullptr;
  std::uint64_t owner_id_ = 0;
  std::string owner_name_;
  const std::type_info* owner_closure_ = nullptr;
  std::shared_ptr<detail::LoopRemote>
      owner_loop_;  // shared: tells one loop from the next at its address
  bool broken_ = false;
  IntrusiveList<Waiter, detail::InParkingLot> waiters_;
  std::optional<OwnerWatch> watch_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Limits how many do something at once. Each borrower (by default the current task) holds one token
// or none, and must give back its own; the total may change at any time.

#include <compare>
#include <cstdint>
#include <map>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/capacity.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

/// A fair limiter. Resource; works with `std::scoped_lock`.
class CapacityLimiter {
 public:
  /// What can be told about a limiter.
  struct Statistics {
    std::size_t borrowed_tokens = 0;  ///< How many tokens are held.
    std::size_t total_tokens = 0;     ///< How many may be; `unbounded` for no limit.
    std::size_t tasks_waiting = 0;    ///< How many tasks wait.
  };

  /// Has `total` tokens; 0 lets nobody pass for now. Throws `UsageError` if it is negative.
  explicit CapacityLimiter(Capacity total) : total_(total.value()) {}
  CapacityLimiter(const CapacityLimiter&) = delete;
  CapacityLimiter& operator=(const CapacityLimiter&) = delete;

  /// Waits for a token and takes it, for the current task. Checkpoint; when it throws, no token was
  /// taken. Throws `UsageError` when the task holds one already.
  void acquire();
  /// Takes a token for the current task. Never waits. Throws `WouldBlock` if there is none; else as
  /// `acquire`.
  void acquire_nowait();
  /// Gives back the current task's token. Never waits. Throws `UsageError` when it holds none.
  void release();

  /// The same, for a borrower that is not a task: the address of whatever stands for it. Throws
  /// `UsageError` when that borrower holds a token or waits for one already.
  void acquire_on_behalf_of(const void* borrower);
  /// `acquire_nowait` for a borrower that is not a task.
  void acquire_on_behalf_of_nowait(const void* borrower);
  /// `release` for a borrower that is not a task.
  void release_on_behalf_of(const void* borrower);

  /// `acquire`, by its standard name.
  void lock() { acquire(); }
  /// Takes a token for the current task; false if there is none. Never waits.
  bool try_lock();
  /// `release`, by its standard name.
  void unlock() { release(); }

  /// How many tokens there are; `unbounded` for no limit.
  std::size_t total_tokens() const noexcept { return total_; }
  /// Changes how many there are. More wakes waiters at once; fewer than are held takes none away,
  /// but lets nobody pass until enough have been given back. Throws `UsageError` if it is negative.
  void set_total_tokens(Capacity total);
  /// How many tokens are held.
  std::size_t borrowed_tokens() const noexcept { return borrowed_; }
  /// How many may be taken without waiting.
  std::size_t available_tokens() const noexcept;
  /// Counts tokens and waiters.
  Statistics statistics() const noexcept { return {borrowed_, total_, waiters_.size()}; }

 private:
  struct Borrower {
    std::uint64_t task = 0;
    const void* object = nullptr;
    auto operator<=>(const Borrower&) const = default;
  };
  enum class Holds : unsigned char { nothing_yet, a_token };
  struct Waiter : Parked {
    CapacityLimiter* limiter = nullptr;
    Borrower borrower;
  };

  static Borrower current_borrower();
  void acquire_for(Borrower borrower);
  bool take_for(Borrower borrower);
  void release_for(Borrower borrower);
  void grant_tokens() noexcept;
  void require_new(Borrower borrower) const;

  std::size_t total_;
  std::size_t borrowed_ = 0;
  std::map<Borrower, Holds> borrowers_;  // those who hold a token, and those who wait for one
  IntrusiveList<Waiter, detail::InParkingLot> waiters_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/capacity_limiter.h"

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

CapacityLimiter::Borrower CapacityLimiter::current_borrower() {
  return {Loop::current().current_task().id, nullptr};
}

void CapacityLimiter::acquire() { acquire_for(current_borrower()); }

void CapacityLimiter::acquire_on_behalf_of(const void* borrower) { acquire_for({0, borrower}); }

void CapacityLimiter::acquire_nowait() {
  if (!try_lock()) throw WouldBlock("the limiter has no token left: use acquire() to wait for one");
}

void CapacityLimiter::acquire_on_behalf_of_nowait(const void* borrower) {
  if (!take_for({0, borrower})) {
    throw WouldBlock("the limiter has no token left: use acquire_on_behalf_of() to wait for one");
  }
}

bool CapacityLimiter::try_lock() { return take_for(current_borrower()); }

void CapacityLimiter::release() { release_for(current_borrower()); }

void CapacityLimiter::release_on_behalf_of(const void* borrower) { release_for({0, borrower}); }

void CapacityLimiter::acquire_for(Borrower borrower) {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  if (take_for(borrower)) return loop.spend();
  Waiter waiter;
  waiter.what = "CapacityLimiter::acquire";
  waiter.limiter = this;
  waiter.borrower = borrower;
  waiter.abort = [](Wait& aborted) noexcept {
    auto& cancelled = static_cast<Waiter&>(aborted);
    cancelled.unlink();
    cancelled.limiter->borrowers_.erase(cancelled.borrower);
    return true;
  };
  borrowers_.emplace(borrower, Holds::nothing_yet);
  waiters_.push_back(waiter);
  loop.park(waiter);
}

bool CapacityLimiter::take_for(Borrower borrower) {
  require_new(borrower);
  if (borrowed_ >= total_) return false;
  borrowers_.emplace(borrower, Holds::a_token);
  ++borrowed_;
  return true;
}

void CapacityLimiter::require_new(Borrower borrower) const {
  if (borrowers_.contains(borrower)) {
    throw UsageError(
        "this borrower holds a token of the limiter, or waits for one, already: release it first, "
        "or acquire on behalf of another borrower");
  }
}

void CapacityLimiter::release_for(Borrower borrower) {
  const auto found = borrowers_.find(borrower);
  if (found == borrowers_.end()) {
    throw UsageError(
        "this borrower holds no token of the limiter: the task that acquired it must release it");
  }
  if (found->second == Holds::nothing_yet)
    throw UsageError("this borrower waits for a token of the limiter: it cannot release one yet");
  borrowers_.erase(found);
  --borrowed_;
  grant_tokens();
}

void CapacityLimiter::set_total_tokens(Capacity total) {
  total_ = total.value();
  grant_tokens();
}

std::size_t CapacityLimiter::available_tokens() const noexcept {
  if (total_ == unbounded) return unbounded;
  return total_ > borrowed_ ? total_ - borrowed_ : 0;
}

void CapacityLimiter::grant_tokens() noexcept {
  while (borrowed_ < total_ && !waiters_.empty()) {
    ++borrowed_;
    Waiter& first = waiters_.pop_front();
    borrowers_.find(first.borrower)->second = Holds::a_token;
    Loop::current().wake(*first.task);
  }
}

}  // namespace troupe

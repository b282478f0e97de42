// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/condition.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

struct Condition::Waiter : Lock::Waiter {
  Lock* lock = nullptr;
  bool cancelled = false;
};

void Condition::wait() {
  while (!wait_once()) {
  }
}

// Who is notified, or cancelled, changes over to the lock's queue and wakes as the lock's owner:
// nothing is left to do that could fail. False when the cancellation that ended the wait has been
// shielded off since.
bool Condition::wait_once() {
  Loop& loop = Loop::current();
  lock_.require_owner("Condition::wait()");
  loop.check_cancelled();
  Waiter waiter;
  waiter.what = "Condition::wait";
  waiter.lock = &lock_;
  waiter.abort = [](Wait& aborted) noexcept {
    auto& cancelled = static_cast<Waiter&>(aborted);
    cancelled.cancelled = true;
    move_to_lock(cancelled);
    return false;
  };
  waiters_.push_back(waiter);
  lock_.pass_on();
  loop.park(waiter);
  if (lock_.waiters_.empty()) lock_.watch_.reset();
  lock_.leave_queue(waiter);
  if (waiter.cancelled) loop.check_cancelled();
  return !waiter.cancelled;
}

void Condition::move_to_lock(Waiter& waiter) noexcept {
  Lock& lock = *waiter.lock;
  waiter.unlink();
  waiter.abort = nullptr;
  waiter.what = "Condition::wait (for its lock)";
  waiter.broken = lock.broken_;
  if (lock.broken_) return Loop::current().wake(*waiter.task);
  lock.enqueue(waiter);
  if (!lock.locked()) lock.pass_on();
}

void Condition::notify(std::size_t n) {
  lock_.require_owner("Condition::notify()");
  for (; n > 0 && !waiters_.empty(); --n) move_to_lock(static_cast<Waiter&>(waiters_.front()));
}

}  // namespace troupe

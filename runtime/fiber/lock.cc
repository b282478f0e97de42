// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/lock.h"

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

void Lock::acquire() {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  if (take_if_free(loop)) return loop.spend();
  struct Acquiring : Waiter {
    const Lock* lock = nullptr;
  } waiter;
  waiter.lock = this;
  waiter.what = "Lock::acquire";
  waiter.describe = [](const Wait& wait) {
    return "Lock::acquire, held by task '" +
           static_cast<const Acquiring&>(wait).lock->statistics().owner + "'";
  };
  waiter.abort = [](Wait& aborted) noexcept {
    static_cast<Waiter&>(aborted).unlink();
    return true;
  };
  enqueue(waiter);
  struct DropWatch {
    Lock& lock;
    ~DropWatch() {
      if (lock.waiters_.empty()) lock.watch_.reset();
    }
  } const drop{*this};
  loop.park(waiter);
  leave_queue(waiter);
}

void Lock::acquire_nowait() {
  if (!try_lock()) {
    throw WouldBlock("the lock is owned by task '" + statistics().owner +
                     "': use acquire() to wait for it");
  }
}

bool Lock::try_lock() { return take_if_free(Loop::current()); }

void Lock::release() {
  require_owner("release()");
  pass_on();
}

Lock::Statistics Lock::statistics() const {
  if (owner_ == nullptr) return {false, {}, waiters_.size()};
  return {true, Task::display_name(owner_name_, owner_closure_), waiters_.size()};
}

bool Lock::owned_by(const Task& task) const noexcept {
  return owner_ == &task && owner_id_ == task.id;
}

// A task lies in memory that its loop keeps as long as it lives, and its number is never given to
// another; so a pointer to it may be followed after its end, to see that it has ended.
bool Lock::orphaned() const noexcept {
  if (owner_ == nullptr) return false;
  if (Loop::current().remote() != owner_loop_) return true;
  return owner_->id != owner_id_ || !static_cast<const ListHook<detail::InLoop>&>(*owner_).linked();
}

void Lock::break_up() noexcept {
  broken_ = true;
  while (!waiters_.empty()) {
    Waiter& waiter = waiters_.pop_front();
    waiter.broken = true;
    Loop::current().wake(*waiter.task);
  }
}

void Lock::set_owner(Task& task) {
  const std::shared_ptr<detail::LoopRemote>& loop = Loop::current().remote();
  if (owner_loop_ != loop) owner_loop_ = loop;
  owner_ = &task;
  owner_id_ = task.id;
  owner_name_ = task.name;
  owner_closure_ = task.closure;
}

bool Lock::take_if_free(Loop& loop) {
  if (broken_) throw_broken();
  Task& task = loop.current_task();
  if (owner_ == nullptr) {
    set_owner(task);
    return true;
  }
  if (owned_by(task)) {
    throw UsageError("task '" + task.display_name() +
                     "' owns this lock already, and it is not re-entrant: release it first");
  }
  if (!orphaned()) return false;
  break_up();
  throw_broken();
}

void Lock::pass_on() noexcept {
  owner_ = nullptr;
  if (waiters_.empty()) return;
  Task& next = *waiters_.pop_front().task;
  set_owner(next);
  Loop::current().wake(next);
}

void Lock::enqueue(Waiter& waiter) noexcept {
  waiters_.push_back(waiter);
  if (!watch_) watch_.emplace(*this);
}

void Lock::leave_queue(const Waiter& waiter) {
  if (waiter.broken) throw_broken();
}

void Lock::require_owner(const char* who) const {
  const Task& task = Loop::current().current_task();
  if (owned_by(task)) return;
  throw UsageError("task '" + task.display_name() + "' called " + who + " without owning the lock" +
                   (owner_ == nullptr ? ", which is free: acquire it first"
                                      : ": its owner is task '" + statistics().owner + "'"));
}

void Lock::throw_broken() const {
  throw BrokenLock("the owner of this lock, task '" + statistics().owner +
                   "', ended without releasing it: hold locks by std::scoped_lock");
}

}  // namespace troupe

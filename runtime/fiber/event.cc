// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/event.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

void Event::set() noexcept {
  set_ = true;
  waiters_.unpark_all();
}

void Event::wait() {
  Parked waiter;
  wait(waiter, "Event::wait");
}

void Event::wait(Parked& waiter, const char* what) {
  Loop& loop = Loop::current();
  if (!set_) return waiters_.park(waiter, what);
  loop.check_cancelled();
  loop.spend();
}

}  // namespace troupe

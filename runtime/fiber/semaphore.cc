// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/semaphore.h"

#include <string>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

Semaphore::Semaphore(Capacity initial, Capacity max) : value_(initial.value()), max_(max.value()) {
  if (value_ > max_) {
    throw UsageError("a Semaphore cannot start at " + std::to_string(value_) +
                     ", above its maximum of " + std::to_string(max_));
  }
}

void Semaphore::acquire() {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  if (try_lock()) return loop.spend();
  waiters_.park("Semaphore::acquire");
}

void Semaphore::acquire_nowait() {
  if (!try_lock()) throw WouldBlock("the semaphore is at zero: use acquire() to wait for it");
}

bool Semaphore::try_lock() noexcept {
  if (value_ == 0) return false;
  --value_;
  return true;
}

void Semaphore::release() {
  if (waiters_.unpark_one() != nullptr) return;
  if (value_ >= max_) {
    throw UsageError("a Semaphore was released above its maximum of " + std::to_string(max_) +
                     ": release once for each acquire");
  }
  ++value_;
}

}  // namespace troupe

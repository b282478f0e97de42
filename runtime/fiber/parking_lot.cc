// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/parking_lot.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

void ParkingLot::park(Parked& waiter, const char* what) {
  waiter.what = what;
  waiter.abort = [](Wait& aborted) noexcept {
    static_cast<Parked&>(aborted).unlink();
    return true;
  };
  waiters_.push_back(waiter);
  Loop::current().park(waiter);
}

Parked* ParkingLot::unpark_one() noexcept {
  if (waiters_.empty()) return nullptr;
  Parked& waiter = waiters_.pop_front();
  Loop::current().wake(*waiter.task);
  return &waiter;
}

std::size_t ParkingLot::unpark_all() noexcept {
  std::size_t count = 0;
  while (unpark_one() != nullptr) ++count;
  return count;
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/wake_flag.h"

#include <string>

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

struct WakeFlag::Waiting : Wait {
  WakeFlag* flag;
};

void WakeFlag::wait() {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  if (flag_) {
    flag_ = false;
    loop.spend();
    return;
  }
  if (waiting_ != nullptr) throw UsageError("a second task waits in " + std::string(what_));
  Waiting wait;
  wait.what = what_;
  wait.flag = this;
  wait.abort = [](Wait& aborted) noexcept {
    static_cast<Waiting&>(aborted).flag->waiting_ = nullptr;
    return true;
  };
  waiting_ = &wait;
  loop.park(wait);
  flag_ = false;
}

void WakeFlag::set() noexcept {
  flag_ = true;
  if (waiting_ == nullptr) return;
  Wait& wait = *waiting_;
  waiting_ = nullptr;
  Loop::current().wake(*wait.task);
}

}  // namespace troupe

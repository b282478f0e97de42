// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/fd_watch.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

struct FdWatch::Waiting : Wait {
  FdWatch* watch;
};

FdWatch::FdWatch(int fd) : loop_(Loop::current()), fd_(fd) { loop_.poller().add_watch(*this); }

FdWatch::~FdWatch() { loop_.poller().remove_watch(*this); }

void FdWatch::wait() {
  loop_.check_cancelled();
  if (flag_) {
    flag_ = false;
    loop_.spend();
    return;
  }
  if (waiting_ != nullptr) throw UsageError("a second task waits on one FdWatch");
  Waiting wait;
  wait.what = "FdWatch::wait";
  wait.watch = this;
  wait.abort = [](Wait& aborted) noexcept {
    static_cast<Waiting&>(aborted).watch->waiting_ = nullptr;
    return true;
  };
  waiting_ = &wait;
  loop_.park(wait);
  flag_ = false;
}

void FdWatch::poke() noexcept {
  flag_ = true;
  if (waiting_ == nullptr) return;
  Wait& wait = *waiting_;
  waiting_ = nullptr;
  loop_.wake(*wait.task);
}

}  // namespace troupe

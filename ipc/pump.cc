// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/pump.h"

#include <utility>

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

namespace {

constexpr std::chrono::milliseconds soon{2};

}  // namespace

Pump::Pump() : poller_(Loop::current().poller()) {}

void Pump::add(int fd, Pollable& socket) {
  Source& source = sources_.try_emplace(fd, *this, socket).first->second;
  try {
    poller_.add_watch(fd, source);
  } catch (...) {
    sources_.erase(fd);
    throw;
  }
  mark_ready(socket);  // an edge may have come before
}

void Pump::remove(int fd) noexcept {
  poller_.remove_watch(fd);
  sources_.erase(fd);
}

void Pump::enqueue(Pollable& socket) noexcept {
  if (!static_cast<ListHook<InReady>&>(socket).linked()) ready_.push_back(socket);
}

void Pump::mark_ready(Pollable& socket) noexcept {
  enqueue(socket);
  work_.set();
}

void Pump::check_soon(Pollable& socket) noexcept {
  if (soon_.empty()) soon_at_ = current_time() + soon;
  if (!static_cast<ListHook<InSoon>&>(socket).linked()) soon_.push_back(socket);
  if (waits_for_ever_) work_.set();  // a turn later it will wait no longer than until then
}

void Pump::turn() {
  if (!soon_.empty() && current_time() >= soon_at_) {
    while (!soon_.empty()) enqueue(soon_.pop_front());
  }
  IntrusiveList<Pollable, InReady> now;
  now.splice_back(ready_);
  while (!now.empty()) {
    Pollable& socket = now.pop_front();
    if (socket.drain()) mark_ready(socket);
  }
}

void Pump::await_work() {
  if (!soon_.empty()) {
    move_on_at(soon_at_, [this] { work_.wait(); });
    return;
  }
  waits_for_ever_ = true;
  try {
    work_.wait();
  } catch (...) {
    waits_for_ever_ = false;
    throw;
  }
  waits_for_ever_ = false;
}

void Pump::run(UniqueFunction<void()> tidy) {
  for (;;) {
    await_work();
    if (stopped_) return;
    turn();
    if (std::exchange(untidy_, false)) tidy();
    if (!ready_.empty()) checkpoint();  // a fast peer does not keep others from running
  }
}

void Pump::stop() noexcept {
  stopped_ = true;
  work_.set();
}

void Pump::before_idle() noexcept {
  while (!dirty_.empty()) dirty_.pop_front().flush();
  while (!touched_.empty()) {
    Pollable& socket = touched_.pop_front();
    if (socket.look()) mark_ready(socket);
  }
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/pump.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

namespace {

constexpr std::chrono::milliseconds soon{2};

[[noreturn]] void fail(const char* what) {
  throw Error(std::string(what) + ": " + std::strerror(errno) +
              "; raise the limit of open files (ulimit -n)");
}

UniqueFd make_epoll() {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) fail("epoll_create1 failed");
  return fd;
}

}  // namespace

Pump::Pump() : epoll_(make_epoll()), watch_(epoll_.get()) {}

void Pump::add(int fd, Pollable& socket) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = &socket;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("a socket cannot be watched");
  mark_ready(socket);  // an edge may have come before
}

void Pump::remove(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Pump::mark_ready(Pollable& socket) noexcept {
  if (!static_cast<ListHook<InReady>&>(socket).linked()) ready_.push_back(socket);
  watch_.poke();
}

void Pump::check_soon(Pollable& socket) noexcept {
  if (!static_cast<ListHook<InSoon>&>(socket).linked()) soon_.push_back(socket);
  if (waits_for_ever_) watch_.poke();  // a turn later it will wait no longer than that
}

void Pump::harvest() {
  std::array<epoll_event, 64> events;
  int count = 0;
  do {
    count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      auto& socket = *static_cast<Pollable*>(events[i].data.ptr);
      if (!static_cast<ListHook<InReady>&>(socket).linked()) ready_.push_back(socket);
    }
  } while (count == static_cast<int>(events.size()));
}

void Pump::turn() {
  harvest();
  while (!soon_.empty()) mark_ready(soon_.pop_front());
  IntrusiveList<Pollable, InReady> now;
  now.splice_back(ready_);
  while (!now.empty()) {
    Pollable& socket = now.pop_front();
    if (socket.drain()) mark_ready(socket);
  }
}

void Pump::await_work() {
  if (!soon_.empty()) {
    move_on_after(soon, [this] { watch_.wait(); });
    return;
  }
  waits_for_ever_ = true;
  try {
    watch_.wait();
  } catch (...) {
    waits_for_ever_ = false;
    throw;
  }
  waits_for_ever_ = false;
}

void Pump::run(UniqueFunction<void()> after_turn) {
  for (;;) {
    await_work();
    turn();
    after_turn();
    if (!ready_.empty()) checkpoint();  // a fast peer does not keep others from running
  }
}

void Pump::before_idle() noexcept {
  while (!dirty_.empty()) dirty_.pop_front().flush();
  while (!touched_.empty()) {
    Pollable& socket = touched_.pop_front();
    if (socket.look()) mark_ready(socket);
  }
}

}  // namespace troupe

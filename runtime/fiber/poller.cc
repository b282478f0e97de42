// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/poller.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

#include "troupe/runtime/fiber/loop.h"

namespace troupe {
namespace {

constexpr std::uint32_t event_of[2] = {EPOLLIN, EPOLLOUT};

UniqueFd checked(int fd, const char* what) {
  if (fd < 0) {
    throw std::system_error(
        errno, std::generic_category(),
        std::string(what) + " failed: raise the limit of open files (ulimit -n)");
  }
  return UniqueFd(fd);
}

// Where the kernel knows no nanoseconds (before 5.11, and valgrind): milliseconds, rounded up, lest
// the loop spin during the last one.
int wait_by_milliseconds(int epoll, epoll_event* events, int size, Duration timeout) noexcept {
  constexpr Duration longest = std::chrono::hours(24);
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(std::min(timeout, longest));
  return ::epoll_wait(epoll, events, size,
                      timeout == Duration::max() ? -1 : static_cast<int>(limit.count()));
}

int wait_for_events(int epoll, epoll_event* events, int size, Duration timeout) noexcept {
  static std::atomic<bool> knows_nanoseconds{true};
  // The usual two need none, and the older call is the quicker one.
  const bool needs_nanoseconds = timeout != Duration::max() && timeout != Duration::zero();
  if (!needs_nanoseconds || !knows_nanoseconds.load(std::memory_order_relaxed))
    return wait_by_milliseconds(epoll, events, size, timeout);
  const timespec limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll, events, size, &limit, nullptr);
  if (count >= 0 || errno != ENOSYS) return count;
  knows_nanoseconds.store(false, std::memory_order_relaxed);
  return wait_by_milliseconds(epoll, events, size, timeout);
}

}  // namespace

struct Poller::FdWait : Wait {
  Poller* poller;
  int fd;
  Direction direction;
  bool closing = false;
};

Poller::Poller(Loop& loop, Duration busy_poll)
    : loop_(loop),
      busy_poll_(std::max(busy_poll, Duration::zero())),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wakeup_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wakeup_.get();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.get(), &event);
}

void Poller::wait_for(int fd, Direction direction) {
  loop_.check_cancelled();
  Entry& entry = entries_[fd];
  FdWait*& slot = entry.waiting[static_cast<int>(direction)];
  if (slot != nullptr || entry.watch != nullptr) {
    throw UsageError("descriptor " + std::to_string(fd) +
                     " already has a task that waits for it (" +
                     (slot != nullptr ? slot->task->display_name() : std::string("a watch")) +
                     "); let one task read it and pass on what it reads");
  }
  FdWait wait;
  wait.what = direction == Direction::read ? "wait_readable" : "wait_writable";
  wait.poller = this;
  wait.fd = fd;
  wait.direction = direction;
  wait.abort = [](Wait& aborted) noexcept {
    auto& self = static_cast<FdWait&>(aborted);
    self.poller->entries_[self.fd].waiting[static_cast<int>(self.direction)] = nullptr;
    --self.poller->waiters_;
    return true;
  };
  slot = &wait;
  try {
    arm(fd, entry);
  } catch (...) {
    slot = nullptr;
    throw;
  }
  ++waiters_;
  loop_.park(wait);
  if (wait.closing)
    throw UsageError("descriptor " + std::to_string(fd) + " was closed while a task waited for it");
}

void Poller::notify_closing(int fd) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  for (FdWait* wait : found->second.waiting) {
    if (wait == nullptr) continue;
    wait->closing = true;
    complete(*wait);
  }
  if (found->second.registered) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  entries_.erase(found);
}

// One-shot: a descriptor that nobody waits for stays silent. A descriptor that was closed and
// opened again behind our back has left the epoll set, hence the second attempt.
void Poller::arm(int fd, Entry& entry) {
  epoll_event event{};
  event.data.fd = fd;
  event.events = EPOLLONESHOT;
  for (int direction : {0, 1}) {
    if (entry.waiting[direction] != nullptr) event.events |= event_of[direction];
  }
  int status = -1;
  if (entry.registered) status = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
  if (status != 0) status = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  if (status != 0 && errno == EEXIST) status = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
  entry.registered = status == 0;
  if (status == 0) return;
  const std::string who = "descriptor " + std::to_string(fd);
  if (errno == EPERM)
    throw UsageError(who + " cannot be waited for: regular files and directories are always ready");
  if (errno == EBADF) throw UsageError(who + " is not open");
  throw std::system_error(errno, std::generic_category(), who + " cannot be waited for");
}

// Whoever is to bring the event may need this processor.
int Poller::poll_busily(epoll_event* events, int size, Duration limit) const noexcept {
  const TimePoint end = detail::saturating_add(std::chrono::steady_clock::now(), limit);
  do {
    const int count = ::epoll_wait(epoll_.get(), events, size, 0);
    if (count != 0) return count;
    ::sched_yield();
  } while (std::chrono::steady_clock::now() < end);
  return 0;
}

bool Poller::wait(Duration timeout) noexcept {
  std::array<epoll_event, 64> events;
  const int size = static_cast<int>(events.size());
  const Duration busy = std::min(timeout, busy_poll_);
  int count = 0;
  if (busy > Duration::zero()) {
    count = poll_busily(events.data(), size, busy);
    if (timeout != Duration::max()) timeout -= busy;
  }
  if (count == 0) count = wait_for_events(epoll_.get(), events.data(), size, timeout);
  for (int i = 0; i < count; ++i) dispatch(events[i].data.fd, events[i].events);
  return count != 0;
}

void Poller::dispatch(int fd, std::uint32_t events) noexcept {
  if (fd == wakeup_.get()) {
    std::uint64_t counter;
    [[maybe_unused]] const auto read = ::read(wakeup_.get(), &counter, sizeof counter);
    return loop_.on_interrupt();
  }
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.watch != nullptr) return entry.watch->on_edge();
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  for (int direction : {0, 1}) {
    if (entry.waiting[direction] != nullptr && (broken || (events & event_of[direction]) != 0)) {
      complete(*entry.waiting[direction]);
    }
  }
  if (entry.waiting[0] != nullptr || entry.waiting[1] != nullptr) rearm(fd, entry);
}

// A descriptor that was closed behind our back must not hold up its other waiter.
void Poller::rearm(int fd, Entry& entry) noexcept {
  try {
    arm(fd, entry);
  } catch (const std::exception&) {
    for (FdWait* wait : entry.waiting) {
      if (wait == nullptr) continue;
      wait->closing = true;
      complete(*wait);
    }
  }
}

void Poller::complete(FdWait& wait) noexcept {
  entries_[wait.fd].waiting[static_cast<int>(wait.direction)] = nullptr;
  --waiters_;
  loop_.wake(*wait.task);
}

void Poller::interrupt() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof one);
}

void Poller::add_watch(int fd, EdgeHandler& handler) {
  Entry& entry = entries_[fd];
  if (entry.watch != nullptr || entry.waiting[0] != nullptr || entry.waiting[1] != nullptr) {
    throw UsageError("descriptor " + std::to_string(fd) + " is already waited for");
  }
  epoll_event event{};
  event.data.fd = fd;
  event.events = EPOLLIN | EPOLLET;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "descriptor " + std::to_string(fd) + " cannot be watched");
  }
  entry.watch = &handler;
  entry.registered = true;
  ++watches_;
}

void Poller::remove_watch(int fd) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  entries_.erase(fd);
  --watches_;
}

}  // namespace troupe

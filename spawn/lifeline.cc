// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/lifeline.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "troupe/runtime/base/all_signals_blocked.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/pidfd.h"
#include "troupe/spawn/death_signal.h"

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds last_resort_delay{250};
constexpr milliseconds last_close_limit{20};

timespec to_timespec(milliseconds duration) {
  const auto count = std::max<milliseconds::rep>(duration.count(), 0);
  return {static_cast<time_t>(count / 1000), static_cast<long>(count % 1000) * 1'000'000};
}

void sleep_for(milliseconds duration) {
  timespec left = to_timespec(duration);
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

// The callback may need a lock that the stuck thread holds, and a path may be on a dead disk: the
// kernel's timer depends on nothing.
void arm_last_resort(milliseconds delay) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return;
  itimerspec when{};
  when.it_value = to_timespec(delay);
  ::timer_settime(timer, 0, &when, nullptr);
}

template <class T>
void erase_one(std::vector<T>& values, const T& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  if (found != values.end()) values.erase(found);
}

}  // namespace

class LifeLine::Watcher {
 public:
  Watcher(UniqueFd fd, UniqueFd parent, UniqueFunction<void()> on_eof, milliseconds grace)
      : fd_(std::move(fd)), parent_(std::move(parent)), on_eof_(std::move(on_eof)), grace_(grace) {}

  static void start(const std::shared_ptr<Watcher>& self) {
    const detail::AllSignalsBlocked blocked;
    self->thread_ = std::thread([self] {
      ::pthread_setname_np(::pthread_self(), "lifeline");
      self->run();
    });
  }

  // The watch goes on until the process has ended: a parent that dies now must neither leave it
  // behind, should its exit hang, nor kill it in the middle of its clearing up, as the parent-death
  // signal would.
  void end_in_order() {
    change_on_eof(nullptr);
    thread_.detach();
  }

  // Waits for a call that is under way: what it refers to may go afterwards.
  void change_on_eof(UniqueFunction<void()> fn) {
    const std::lock_guard lock(callback_mutex_);
    on_eof_ = std::move(fn);
    if (eof_told_) call_on_eof();
  }

  bool parent_gone_within(milliseconds limit) const {
    pollfd watched[] = {{fd_.get(), POLLRDHUP, 0}, {parent_.get(), POLLIN, 0}};
    if (::poll(watched, 2, static_cast<int>(limit.count())) <= 0) return false;
    await_parents_last_close();
    return true;
  }

  void change_paths(UniqueFunction<void(std::vector<std::string>&)> change) {
    const std::lock_guard lock(mutex_);
    change(paths_);
  }

  void change_children(UniqueFunction<void(std::vector<int>&)> change) {
    const std::lock_guard lock(mutex_);
    change(children_);
    if (parent_is_gone_) hang_up_on_children();
  }

 private:
  void run() {
    wait_for_end();
    arm_last_resort(grace_ + last_resort_delay);
    {
      const std::lock_guard lock(mutex_);
      parent_is_gone_ = true;
      hang_up_on_children();
    }
    await_parents_last_close();
    tell_eof();
    sleep_for(grace_);
    remove_paths();
    ::_exit(1);
  }

  void wait_for_end() {
    for (;;) {
      pollfd watched[] = {{fd_.get(), POLLIN | POLLRDHUP, 0},
                          {parent_.get(), POLLIN, 0}};  // -1 is passed over
      if (::poll(watched, 2, -1) <= 0) continue;
      const bool hung_up = (watched[0].revents & ~POLLIN) != 0;
      if (hung_up || watched[1].revents != 0 || !drop_input()) return;
    }
  }

  // Of a process that dies one descriptor is closed after the other: it may still hold locks. (One
  // that only hangs up, as its own parent has died, lives on.)
  void await_parents_last_close() const { detail::ends_within(parent_.get(), last_close_limit); }

  // Returns false at the end of the stream.
  bool drop_input() {
    char buffer[512];
    const ssize_t got = ::read(fd_.get(), buffer, sizeof buffer);
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
  }

  void hang_up_on_children() {
    for (int child : children_) ::shutdown(child, SHUT_RDWR);
  }

  void tell_eof() {
    const std::lock_guard lock(callback_mutex_);
    eof_told_ = true;
    call_on_eof();
  }

  void call_on_eof() {
    if (!on_eof_) return;
    try {
      on_eof_();
    } catch (...) {  // nobody is there to hear of it, and the process ends anyway
    }
  }

  void remove_paths() {
    const std::lock_guard lock(mutex_);
    for (const std::string& path : paths_) ::unlink(path.c_str());
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) ::rmdir(path->c_str());
  }

  const UniqueFd fd_;
  // A fork of the parent that does not execute keeps the life-line's other end open.
  const UniqueFd parent_;
  std::mutex callback_mutex_;
  UniqueFunction<void()> on_eof_;  // under callback_mutex_
  bool eof_told_ = false;          // under callback_mutex_
  const milliseconds grace_;
  std::thread thread_;
  std::atomic<bool> parent_is_gone_ = false;
  std::mutex mutex_;
  std::vector<std::string> paths_;  // under mutex_
  std::vector<int> children_;       // under mutex_
};

LifeLine::LifeLine(UniqueFd fd, UniqueFd parent, UniqueFunction<void()> on_eof,
                   milliseconds grace) {
  try {
    watcher_ =
        std::make_shared<Watcher>(std::move(fd), std::move(parent), std::move(on_eof), grace);
    Watcher::start(watcher_);
    detail::disarm_death_signal();
  } catch (const std::system_error& error) {
    throw Error("process " + std::to_string(::getpid()) + " cannot watch its parent's life (" +
                error.what() + "): raise the limits of threads and files (ulimit -u, -n)");
  }
}

LifeLine::~LifeLine() { watcher_->end_in_order(); }

void LifeLine::change_on_eof(UniqueFunction<void()> fn) { watcher_->change_on_eof(std::move(fn)); }

bool LifeLine::parent_gone_within(std::chrono::milliseconds limit) const {
  return watcher_->parent_gone_within(limit);
}

void LifeLine::add_path(std::string path) {
  watcher_->change_paths(
      [&path](std::vector<std::string>& paths) { paths.push_back(std::move(path)); });
}

void LifeLine::remove_path(const std::string& path) {
  watcher_->change_paths([&path](std::vector<std::string>& paths) { erase_one(paths, path); });
}

void LifeLine::add_child(int lifeline_fd) {
  watcher_->change_children([lifeline_fd](std::vector<int>& fds) { fds.push_back(lifeline_fd); });
}

void LifeLine::remove_child(int lifeline_fd) {
  watcher_->change_children([lifeline_fd](std::vector<int>& fds) { erase_one(fds, lifeline_fd); });
}

}  // namespace troupe

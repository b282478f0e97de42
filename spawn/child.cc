// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/child.h"

#include <poll.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/pidfd.h"

namespace troupe {

namespace {

constexpr int teardown_limit_ms = 5000;

ExitStatus to_status(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {0, info.si_status};
}

// __WALL: also children whose end sends no signal, as a zygote makes them for its parent.
std::optional<ExitStatus> reap(int pidfd, int options) noexcept {
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | __WALL | options);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return ExitStatus::unknown();  // ECHILD: somebody else was faster
  if (info.si_pid == 0) return std::nullopt;
  return to_status(info);
}

bool poll_pidfd(int pidfd, int timeout_ms) noexcept {
  pollfd look{pidfd, POLLIN, 0};
  int result;
  do {
    result = ::poll(&look, 1, timeout_ms);
  } while (result < 0 && errno == EINTR);
  return result > 0;
}

// The loop remembers descriptors by their numbers, which are given out again.
void close(UniqueFd& fd) {
  if (fd && Loop::try_current() != nullptr) notify_closing(fd.get());
  fd.reset();
}

// A process that hangs in the kernel (a dead network disk, a huge memory to tear down) must not
// hold up the loop; it is still to be no zombie one day.
void reap_in_background(UniqueFd pidfd) noexcept {
  try {
    std::thread([fd = std::move(pidfd)] { reap(fd.get(), 0); }).detach();
  } catch (...) {  // no thread to be had: the kernel reaps it when this process ends
  }
}

}  // namespace

// The one task that waits on the pidfd; the others wait for the end of its watch and then look
// who is next, so that a cancelled watcher hands over.
class Child::Watch {
 public:
  explicit Watch(Child& child) : child_(child) { child_.watch_ended_ = std::make_shared<Event>(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    std::exchange(child_.watch_ended_, nullptr)->set();
    child_.close_if_done();
  }

 private:
  Child& child_;
};

Child::Child(std::string name, pid_t pid, UniqueFd pidfd, UniqueFd lifeline)
    : name_(std::move(name)), pid_(pid), pidfd_(std::move(pidfd)), lifeline_(std::move(lifeline)) {}

Child::~Child() {
  if (!status_) kill_and_reap();
  close(pidfd_);
  close(lifeline_);
}

ExitStatus Child::wait() {
  checkpoint();
  while (!wait_nowait()) {
    if (const std::shared_ptr<Event> other_watch = watch_ended_) {
      other_watch->wait();
    } else {
      const Watch watch(*this);
      wait_readable(pidfd_.get());
    }
  }
  return *status_;
}

std::optional<ExitStatus> Child::wait_nowait() {
  if (!status_) {
    status_ = reap(pidfd_.get(), WNOHANG);
    if (status_) report_end();
    close_if_done();
  }
  return status_;
}

void Child::send_signal(int signal) {
  if (status_) return;
  if (detail::send_signal_to(pidfd_.get(), signal) == 0 || errno == ESRCH) return;
  throw Error("cannot send " + ExitStatus{0, signal}.to_string() + " to the process of actor " +
              detail::quoted_name(name_) + " (pid " + std::to_string(pid_) +
              "): " + detail::errno_text(errno));
}

void Child::report_end() const {
  if (!log_enabled(LogLevel::runtime, "spawn")) return;
  log_line(LogLevel::runtime, "spawn", "reaped the process of actor '", name_, "' (pid ", pid_,
           "): ", status_->to_string());
}

// A pidfd under watch must stay open: epoll forgets a closed one without waking its waiter.
void Child::close_if_done() {
  if (status_ && !watch_ended_) close(pidfd_);
}

void Child::kill_and_reap() noexcept {
  detail::send_signal_to(pidfd_.get(), SIGKILL);
  if (poll_pidfd(pidfd_.get(), teardown_limit_ms)) {
    reap(pidfd_.get(), WNOHANG);
    return;
  }
  log_message(LogLevel::error, "spawn",
              "the process of actor " + detail::quoted_name(name_) + " (pid " +
                  std::to_string(pid_) + ") hangs in the kernel; it is reaped when it ends");
  reap_in_background(std::move(pidfd_));
}

}  // namespace troupe

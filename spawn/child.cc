// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/child.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/output_relay.h"

namespace troupe {

namespace {

constexpr auto teardown_limit = std::chrono::milliseconds(5000);
// How long an actor may hold its life-line after its launcher has ended: a little more than the
// watch on that line gives it.
constexpr auto hang_up_limit = std::chrono::seconds(1);
constexpr auto hang_up_pause = std::chrono::milliseconds(2);
// A process that is traced has ended before its tracer lets its parent know how.
constexpr auto tracer_pause = std::chrono::milliseconds(2);

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

// Whether both directions are closed: nobody holds the other end.
bool is_let_go(int lifeline) {
  pollfd look{lifeline, 0, 0};
  return ::poll(&look, 1, 0) == 1;
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

// Tells of the end of a process, once.
class Child::Watch final : private EdgeHandler {
 public:
  explicit Watch(int pidfd) : poller_(Loop::current().poller()), pidfd_(pidfd) {
    poller_.add_watch(pidfd, *this);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  void tell(UniqueFunction<void()> on_end) { on_end_ = std::move(on_end); }
  Event& ended() noexcept { return ended_; }

  /// The process has ended, and nothing is watched from now on.
  void finish() noexcept {
    stop();
    ended_.set();
    if (on_end_) std::exchange(on_end_, {})();
  }

 private:
  void on_edge() noexcept override { finish(); }

  // When the loop has ended there is nothing left to stop.
  void stop() noexcept {
    const int watched = std::exchange(pidfd_, -1);
    if (watched >= 0 && Loop::try_current() != nullptr) poller_.remove_watch(watched);
  }

  Poller& poller_;
  int pidfd_;
  Event ended_;
  UniqueFunction<void()> on_end_;
};

Child::Child(detail::ChildParts parts)
    : parts_(std::move(parts)), watch_(std::make_unique<Watch>(parts_.pidfd.get())) {}

Child::~Child() {
  watch_.reset();
  if (!status_) kill_and_reap();
  drain_relays();
  close(parts_.lifeline);
}

void Child::on_end(UniqueFunction<void()> fn) { watch_->tell(std::move(fn)); }

ExitStatus Child::wait() {
  checkpoint();
  while (!wait_nowait()) {
    if (!watch_->ended().is_set()) {
      watch_->ended().wait();
    } else {
      sleep(tracer_pause);
    }
  }
  if (parts_.leads_group && !hung_up_) await_hang_up();
  return *status_;
}

std::optional<ExitStatus> Child::wait_nowait() {
  if (status_) return status_;
  // As long as its leader has not been reaped, the group's number belongs to nobody else.
  if (parts_.leads_group && detail::ends_within(parts_.pidfd.get(), std::chrono::milliseconds(0)))
    ::kill(-parts_.pid, SIGKILL);
  status_ = reap(parts_.pidfd.get(), WNOHANG);
  if (status_) {
    watch_->finish();
    parts_.pidfd.reset();
    report_end();
    drain_relays();
  }
  return status_;
}

void Child::send_signal(int signal) {
  if (status_) return;
  if (signal_all(signal) == 0 || errno == ESRCH) return;
  throw Error("cannot send " + ExitStatus{0, signal}.to_string() + " to the process of actor " +
              detail::quoted_name(name()) + " (pid " + std::to_string(pid()) +
              "): " + detail::errno_text(errno));
}

void Child::kill() noexcept {
  if (!status_) signal_all(SIGKILL);
}

void Child::report_end() const {
  if (!log_enabled(LogLevel::runtime, "spawn")) return;
  log_line(LogLevel::runtime, "spawn", "reaped the process of actor '", name(), "' (pid ", pid(),
           "): ", status_->to_string());
}

int Child::signal_all(int signal) noexcept {
  if (parts_.leads_group) return ::kill(-parts_.pid, signal);
  return detail::send_signal_to(parts_.pidfd.get(), signal);
}

std::string Child::stderr_tail() {
  if (!parts_.err) return {};
  parts_.err->drain();
  return parts_.err->tail();
}

void Child::start_relays() {
  if (parts_.out) parts_.out->start("stdout of " + name());
  if (parts_.err) parts_.err->start("stderr of " + name());
}

// What it has written is there before anybody hears of its end.
void Child::drain_relays() noexcept {
  if (parts_.out) parts_.out->drain();
  if (parts_.err) parts_.err->drain();
}

void Child::await_hang_up() {
  ::shutdown(parts_.lifeline.get(), SHUT_WR);
  move_on_after(hang_up_limit, [this] {
    while (!is_let_go(parts_.lifeline.get())) sleep(hang_up_pause);
  });
  hung_up_ = true;
}

void Child::kill_and_reap() noexcept {
  kill();
  // A command that belongs to another user, as sudo does, cannot be killed, but the actor behind it
  // ends with its line.
  ::shutdown(parts_.lifeline.get(), SHUT_RDWR);
  if (detail::ends_within(parts_.pidfd.get(), teardown_limit)) {
    reap(parts_.pidfd.get(), WNOHANG);
    return;
  }
  log_message(LogLevel::error, "spawn",
              "the process of actor " + detail::quoted_name(name()) + " (pid " +
                  std::to_string(pid()) +
                  ") was killed, but does not end; it is reaped when it does");
  reap_in_background(std::move(parts_.pidfd));
}

}  // namespace troupe

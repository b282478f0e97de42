// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/interrupts.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "troupe/runtime/base/all_signals_blocked.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {
namespace {

constexpr int patience_with_loop_ms = 200;

bool is_at_default(int signal) {
  struct sigaction present;
  return ::sigaction(signal, nullptr, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 &&
         present.sa_handler == SIG_DFL;
}

sigset_t set_of(const std::vector<int>& signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

BlockedSignals::BlockedSignals(std::initializer_list<int> signals) {
  for (const int signal : signals) {
    if (is_at_default(signal)) signals_.push_back(signal);
  }
  const sigset_t set = set_of(signals_);
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void ignore_if_default(int signal) {
  if (is_at_default(signal)) ::signal(signal, SIG_IGN);
}

SignalFd::SignalFd(const std::vector<int>& signals)
    : set_(set_of(signals)), fd_(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK)) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

int SignalFd::next() const noexcept {
  signalfd_siginfo info;
  const bool got = ::read(fd_.get(), &info, sizeof info) == sizeof info;
  return got ? static_cast<int>(info.ssi_signo) : 0;
}

void SignalFd::take(int signal, bool taken) noexcept {
  taken ? ::sigaddset(&set_, signal) : ::sigdelset(&set_, signal);
  ::signalfd(fd_.get(), &set_, 0);
}

SignalWatch::SignalWatch(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal)
    : poller_(Loop::current().poller()),
      all_(signals),
      signals_(signals),
      on_signal_(std::move(on_signal)) {
  poller_.add_watch(signals_.get(), *this);
  detail::set_signal_taker(this);
}

SignalWatch::~SignalWatch() {
  detail::set_signal_taker(nullptr);
  poller_.remove_watch(signals_.get());
}

void SignalWatch::on_received(int signal, bool received) noexcept {
  if (std::ranges::find(all_, signal) != all_.end()) signals_.take(signal, !received);
}

void SignalWatch::on_edge() noexcept {
  while (const int signal = signals_.next()) on_signal_(signal);
}

Interrupts::Interrupts(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal)
    : on_signal_(std::make_shared<Handler>(std::move(on_signal))),
      on_loop_(signals,
               [this](int signal) {
                 ++heard_;
                 (*on_signal_)(signal);
               }),
      loop_(current_token()),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_) throw std::system_error(errno, std::generic_category(), "eventfd");
  try {
    const detail::AllSignalsBlocked blocked;
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "interrupts");
      listen();
    });
  } catch (const std::system_error&) {  // the limit of processes
  }
}

Interrupts::~Interrupts() {
  ::eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) thread_.join();
  *on_signal_ = nullptr;
}

void Interrupts::listen() {
  const SignalFd& signals = on_loop_.signals();
  for (;;) {
    pollfd watched[] = {{signals.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) return;
    const int signal = signals.next();
    if (signal == 0) continue;
    const bool is_first = ++heard_ == 1;
    try {
      loop_.post([handler = on_signal_, signal] {
        if (*handler) (*handler)(signal);
      });
    } catch (const std::exception&) {  // the loop is ending, or there is no memory
    }
    if (!is_first && !stops_within(patience_with_loop_ms)) ::_exit(signal_exit_base + signal);
  }
}

bool Interrupts::stops_within(int limit_ms) const {
  pollfd watched{stop_.get(), POLLIN, 0};
  return ::poll(&watched, 1, limit_ms) > 0;
}

}  // namespace troupe

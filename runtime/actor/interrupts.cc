// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/interrupts.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

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

UniqueFd descriptor_of(const std::vector<int>& signals) {
  const sigset_t set = set_of(signals);
  UniqueFd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) throw std::system_error(errno, std::generic_category(), "signalfd");
  return descriptor;
}

// Returns 0 when there is none.
int next_signal(const UniqueFd& descriptor) noexcept {
  signalfd_siginfo info;
  const bool got = ::read(descriptor.get(), &info, sizeof info) == sizeof info;
  return got ? static_cast<int>(info.ssi_signo) : 0;
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

SignalWatch::SignalWatch(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal)
    : poller_(Loop::current().poller()),
      descriptor_(descriptor_of(signals)),
      on_signal_(std::move(on_signal)) {
  poller_.add_watch(descriptor_.get(), *this);
}

void SignalWatch::on_edge() noexcept {
  while (const int signal = next_signal(descriptor_)) on_signal_(signal);
}

Interrupts::Interrupts(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal)
    : on_signal_(std::make_shared<Handler>(std::move(on_signal))),
      on_loop_(signals,
               [this](int signal) {
                 ++heard_;
                 (*on_signal_)(signal);
               }),
      loop_(current_token()),
      signals_(descriptor_of(signals)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "interrupts");
    listen();
  });
}

Interrupts::~Interrupts() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
  *on_signal_ = nullptr;
}

void Interrupts::listen() {
  for (;;) {
    pollfd watched[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) return;
    const int signal = next_signal(signals_);
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

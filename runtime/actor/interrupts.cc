// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/interrupts.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

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

int wait_for_signal(const std::vector<int>& signals) {
  if (signals.empty()) sleep_forever();
  const UniqueFd descriptor = descriptor_of(signals);
  for (;;) {
    if (const int signal = next_signal(descriptor)) return signal;
    wait_readable(descriptor.get());
  }
}

SignalWatch::SignalWatch(const std::vector<int>& signals, UniqueFunction<void()> on_signal)
    : poller_(Loop::current().poller()),
      descriptor_(descriptor_of(signals)),
      on_signal_(std::move(on_signal)) {
  poller_.add_watch(descriptor_.get(), *this);
}

void SignalWatch::on_edge() noexcept {
  while (next_signal(descriptor_) != 0) on_signal_();
}

}  // namespace troupe

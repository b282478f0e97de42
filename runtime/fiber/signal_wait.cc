// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/signal_wait.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <system_error>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/signal_mask.h"

namespace troupe {

// A descriptor that the kernel makes readable when one of the signals in `mask` is pending for this
// thread, and what has been read from it.
struct SignalReceiver::Impl {
  Loop& loop;
  std::vector<int> signals;  // no duplicates
  sigset_t mask;             // those of which no inner receiver takes the signals
  UniqueFd fd;
  std::vector<int> pending;  // read, not yet received; in order of arrival, no duplicates
  bool busy = false;         // a task waits

  void set_mask(int signal, bool taken);
  void drain();
  std::optional<int> take();
  void check_caller() const;
};

namespace {

// What the process has of one signal while it has receivers. A signal to the process may be
// delivered in any thread that does not block it, hence a handler, which sends it on to the loop's
// thread. That thread blocks it, so that it waits there for the descriptor to be read.
struct Slot {
  std::atomic<pid_t> thread{0};
  std::vector<SignalReceiver::Impl*> receivers;  // innermost last
  struct sigaction old_action {};
  bool was_blocked = false;
};

struct Slots {
  std::mutex mutex;
  Slot of[NSIG];
  detail::SignalTaker* taker = nullptr;  // when nobody receives

  void tell_taker(int signal, bool received) const noexcept {
    if (taker != nullptr) taker->on_received(signal, received);
  }
};

// Never destroyed: a signal may come while the process ends.
Slots& slots() {
  static Slots* const instance = new Slots;
  return *instance;
}
Slot* slots_for_handler = nullptr;

void send_on(int signal) {
  const int saved_errno = errno;
  const pid_t thread = slots_for_handler[signal].thread.load(std::memory_order_acquire);
  if (thread != 0) ::tgkill(::getpid(), thread, signal);
  errno = saved_errno;
}

std::string name_of(int signal) {
  const char* const name = signal > 0 && signal < NSIG ? ::sigabbrev_np(signal) : nullptr;
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

std::vector<int> checked(std::vector<int> signals) {
  if (signals.empty())
    throw UsageError("open_signal_receiver was given no signals; name one, such as {SIGHUP}");
  for (const int signal : signals) {
    if (signal <= 0 || signal >= NSIG || signal == SIGKILL || signal == SIGSTOP)
      throw UsageError(name_of(signal) + " cannot be received: the system does not let programs");
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL)
      throw UsageError(name_of(signal) +
                       " cannot be received: after a fault the program cannot go on");
  }
  std::sort(signals.begin(), signals.end());
  signals.erase(std::unique(signals.begin(), signals.end()), signals.end());
  return signals;
}

void change_mask(int how, int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(how, &set, nullptr);
}

void take_over(Slot& slot, int signal) {
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
  slot.was_blocked = ::sigismember(&before, signal) == 1;
  change_mask(SIG_BLOCK, signal);
  slot.thread.store(::gettid(), std::memory_order_release);
  struct sigaction action {};
  action.sa_handler = &send_on;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigaction(signal, &action, &slot.old_action);
}

// A handler that somebody has installed over ours stays.
void give_back(Slot& slot, int signal) {
  struct sigaction present {};
  ::sigaction(signal, nullptr, &present);
  if (present.sa_handler == &send_on) ::sigaction(signal, &slot.old_action, nullptr);
  slot.thread.store(0, std::memory_order_release);
}

void add_receiver(SignalReceiver::Impl& receiver) {
  for (const int signal : receiver.signals) {
    Slot& slot = slots().of[signal];
    if (slot.receivers.empty()) {
      slots().tell_taker(signal, true);
      take_over(slot, signal);
    } else {
      slot.receivers.back()->set_mask(signal, false);
    }
    slot.receivers.push_back(&receiver);
    receiver.set_mask(signal, true);
  }
}

// Returns which signals are to be unblocked.
std::vector<int> remove_receiver(SignalReceiver::Impl& receiver) {
  std::vector<int> unblock;
  for (const int signal : receiver.signals) {
    Slot& slot = slots().of[signal];
    std::erase(slot.receivers, &receiver);
    if (slot.receivers.empty()) {
      give_back(slot, signal);
      slots().tell_taker(signal, false);
      if (!slot.was_blocked) unblock.push_back(signal);
    } else {
      slot.receivers.back()->set_mask(signal, true);
    }
  }
  return unblock;
}

void check_owners(const std::vector<int>& signals) {
  for (const int signal : signals) {
    const pid_t thread = slots().of[signal].thread.load(std::memory_order_acquire);
    if (thread != 0 && thread != ::gettid())
      throw UsageError("the loop of another thread receives " + name_of(signal) +
                       "; receive it there and pass it on");
  }
}

}  // namespace

void SignalReceiver::Impl::set_mask(int signal, bool taken) {
  taken ? ::sigaddset(&mask, signal) : ::sigdelset(&mask, signal);
  ::signalfd(fd.get(), &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

void SignalReceiver::Impl::drain() {
  signalfd_siginfo info;
  while (::read(fd.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (std::find(pending.begin(), pending.end(), signal) == pending.end())
      pending.push_back(signal);
  }
}

std::optional<int> SignalReceiver::Impl::take() {
  drain();
  if (pending.empty()) return std::nullopt;
  const int signal = pending.front();
  pending.erase(pending.begin());
  return signal;
}

void SignalReceiver::Impl::check_caller() const {
  if (Loop::try_current() != &loop)
    throw UsageError("a SignalReceiver belongs to the loop in which it was opened; receive there");
  if (busy)
    throw UsageError(
        "another task waits on this SignalReceiver; let one task receive and pass the signals on");
}

SignalReceiver::SignalReceiver(const std::vector<int>& signals, detail::SignalReceiverKey) {
  Loop& loop = Loop::current();
  std::vector<int> valid = checked(signals);
  sigset_t none;
  ::sigemptyset(&none);
  UniqueFd fd(::signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd failed");
  impl_.reset(new Impl{loop, std::move(valid), none, std::move(fd), {}});
  impl_->pending.reserve(impl_->signals.size());
  const std::lock_guard lock(slots().mutex);
  slots_for_handler = slots().of;
  check_owners(impl_->signals);
  for (const int signal : impl_->signals) {
    std::vector<Impl*>& receivers = slots().of[signal].receivers;
    receivers.reserve(receivers.size() + 1);
  }
  add_receiver(*impl_);
}

// Raised while still blocked, so that a signal which came to the thread and to the process counts
// once; unblocking then delivers to whoever was there before.
SignalReceiver::~SignalReceiver() {
  impl_->drain();
  std::vector<int> unblock;
  {
    const std::lock_guard lock(slots().mutex);
    unblock = remove_receiver(*impl_);
  }
  notify_closing(impl_->fd.get());
  for (const int signal : impl_->pending) ::raise(signal);
  for (const int signal : unblock) change_mask(SIG_UNBLOCK, signal);
}

int SignalReceiver::receive() {
  impl_->check_caller();
  impl_->loop.check_cancelled();
  if (const std::optional<int> signal = impl_->take()) {
    impl_->loop.spend();
    return *signal;
  }
  struct Busy {
    bool& flag;
    explicit Busy(bool& busy) : flag(busy) { flag = true; }
    ~Busy() { flag = false; }
  } const busy(impl_->busy);
  for (;;) {
    wait_readable(impl_->fd.get());
    if (const std::optional<int> signal = impl_->take()) return *signal;
  }
}

std::optional<int> SignalReceiver::receive_nowait() {
  impl_->check_caller();
  return impl_->take();
}

namespace detail {

void set_signal_taker(SignalTaker* taker) noexcept {
  const std::lock_guard lock(slots().mutex);
  slots().taker = taker;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (!slots().of[signal].receivers.empty()) slots().tell_taker(signal, true);
  }
}

void leave_received_signals_to_their_loop(sigset_t& mask) {
  const std::lock_guard lock(slots().mutex);
  for (int signal = 1; signal < NSIG; ++signal) {
    const Slot& slot = slots().of[signal];
    if (slot.thread != 0 && !slot.was_blocked) ::sigdelset(&mask, signal);
  }
}

}  // namespace detail
}  // namespace troupe

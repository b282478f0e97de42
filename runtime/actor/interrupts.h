// SPDX-License-Identifier: Apache-2.0
#pragma once

// SIGINT and SIGTERM as something that a loop hears of. Signals are blocked in the thread and read
// from a descriptor, so that no handler runs in the middle of anything.

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <memory>
#include <thread>
#include <vector>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/poller.h"
#include "troupe/runtime/fiber/signal_mask.h"

namespace troupe {

/// Blocks signals in the calling thread, those that are at their default action, until this object
/// ends. Make it before other threads are started, which inherit the mask.
class BlockedSignals {
 public:
  explicit BlockedSignals(std::initializer_list<int> signals);
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals();

  /// Those that were blocked here: the others belong to the program.
  const std::vector<int>& signals() const noexcept { return signals_; }

 private:
  std::vector<int> signals_;
  sigset_t before_;
};

/// Ignores a signal that is at its default action; else the program has something in mind with it.
void ignore_if_default(int signal);

/// A descriptor from which pending signals are read, which must be blocked. Resource.
class SignalFd {
 public:
  explicit SignalFd(const std::vector<int>& signals);

  /// The descriptor; readable when a signal is pending.
  int get() const noexcept { return fd_.get(); }
  /// The next of the pending signals; 0 when there is none. Never waits.
  int next() const noexcept;
  /// Whether `signal` is read here from now on. Not for two threads at once.
  void take(int signal, bool taken) noexcept;

 private:
  sigset_t set_;
  UniqueFd fd_;
};

/// Hears of signals, which must be blocked. What the program receives by itself
/// (`open_signal_receiver`) is left to it. Resource of one loop, one a process.
class SignalWatch final : private EdgeHandler, private detail::SignalTaker {
 public:
  /// `on_signal` is called for each, on the loop's own stack: it must neither wait nor throw.
  SignalWatch(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  /// Where the signals are read.
  const SignalFd& signals() const noexcept { return signals_; }

 private:
  void on_edge() noexcept override;
  void on_received(int signal, bool received) noexcept override;

  Poller& poller_;
  const std::vector<int> all_;
  SignalFd signals_;
  UniqueFunction<void(int)> on_signal_;
};

/// The exit code of a program that a signal has ended, as shells give it, less the signal.
inline constexpr int signal_exit_base = 128;

/// Hears of the signals by which users end a program. They must be blocked. A thread of its own
/// listens, too, as a task that computes, or blocks in `getline`, must not keep a user from ending
/// the program. (The loop has to listen besides: to it goes what its thread raises.) Resource of
/// one loop.
class Interrupts {
 public:
  /// `on_signal` is called on the loop for each signal, and must neither wait nor throw. From the
  /// second signal on it is to end the process; if it has not been called within 200 ms, since the
  /// loop is busy, the process ends by `_exit(signal_exit_base + signal)`. When no thread can be
  /// had the loop listens alone.
  Interrupts(const std::vector<int>& signals, UniqueFunction<void(int)> on_signal);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

 private:
  using Handler = UniqueFunction<void(int)>;

  void listen();
  bool stops_within(int limit_ms) const;

  const std::shared_ptr<Handler> on_signal_;  // null once this has ended: calls may be queued still
  std::atomic<int> heard_ = 0;
  SignalWatch on_loop_;
  LoopToken loop_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// SIGINT and SIGTERM as something a task waits for, or the loop hears of. Signals are blocked in
// the thread and read from a descriptor, so that no handler runs in the middle of anything.

#include <csignal>
#include <initializer_list>
#include <vector>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/poller.h"

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

/// Waits for one of the signals, which must be blocked, and returns it. Checkpoint. Waits for ever
/// when there are none.
int wait_for_signal(const std::vector<int>& signals);

/// Hears of signals, which must be blocked. Resource of one loop.
class SignalWatch final : private EdgeHandler {
 public:
  /// `on_signal` is called for each, on the loop's own stack: it must neither wait nor throw.
  SignalWatch(const std::vector<int>& signals, UniqueFunction<void()> on_signal);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() { poller_.remove_watch(descriptor_.get()); }

 private:
  void on_edge() noexcept override;

  Poller& poller_;
  UniqueFd descriptor_;
  UniqueFunction<void()> on_signal_;
};

}  // namespace troupe

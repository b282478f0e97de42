// SPDX-License-Identifier: Apache-2.0
#pragma once

// SIGINT and SIGTERM as something a task waits for. Signals are blocked in the thread and read from
// a descriptor, so that no handler runs in the middle of anything.

#include <csignal>
#include <initializer_list>
#include <vector>

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

}  // namespace troupe

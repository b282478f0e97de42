// SPDX-License-Identifier: Apache-2.0
#pragma once

// How other threads reach a loop.

#include <memory>
#include <mutex>
#include <vector>

#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

/// What other threads share with a loop: a queue of functions that it will run.
struct Loop::Remote {
  explicit Remote(Poller& loop_poller) : poller(&loop_poller) {}

  /// Queues a function; false when the loop has ended. Thread-safe.
  bool post(UniqueFunction<void()> function);
  /// Hands the queued functions to the task that runs them. Returns whether a task was woken.
  bool deliver() noexcept;
  /// From now on `post` fails.
  void close();

  std::mutex mutex;
  Poller* poller;                             // null once the loop has ended
  std::vector<UniqueFunction<void()>> queue;  // guarded by `mutex`
  Wait* runner = nullptr;                     // the parked entry task, loop thread only
};

/// A handle by which other threads queue functions into a loop. Copyable; outlives the loop safely.
class LoopToken {
 public:
  /// Queues `function` to be run on the loop, in a task of its own kind: in order, once each. It
  /// must not wait. Thread-safe. Throws `UsageError` when the loop has ended.
  void post(UniqueFunction<void()> function) const;

 private:
  friend LoopToken current_token();
  explicit LoopToken(std::shared_ptr<Loop::Remote> remote) : remote_(std::move(remote)) {}
  std::shared_ptr<Loop::Remote> remote_;
};

/// The token of the loop whose task calls. Throws `UsageError` outside of one.
LoopToken current_token();

/// Runs queued functions until cancelled; a system task of every loop.
void run_posted_functions();

}  // namespace troupe

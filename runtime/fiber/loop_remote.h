// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lies behind a LoopToken: the queue that other threads put functions into. The loop's own;
// others include loop_token.h.

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/poller.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe::detail {

/// What other threads share with a loop: a queue of functions that it will run.
struct LoopRemote {
  explicit LoopRemote(Poller& loop_poller) : poller(&loop_poller) {}

  /// Queues a function; false when the loop has ended. Thread-safe.
  bool post(UniqueFunction<void()> function);
  /// Wakes the task that runs the queued functions, if it waits.
  void deliver() noexcept;
  /// Queues a call of `function(argument)` unless the same one is waiting already; else as `post`.
  bool post_once(void (*function)(void*), void* argument);
  /// Ends the task that runs the queued functions, if it waits; false when it does not.
  bool end_runner() noexcept;
  /// From now on `post` fails. What is queued stays.
  void close();
  /// Takes what is queued.
  std::vector<UniqueFunction<void()>> take();
  /// How many functions are queued.
  std::size_t waiting();

  std::mutex mutex;
  Poller* poller;                             // null once the loop takes no more; these three are
  std::vector<UniqueFunction<void()>> queue;  // guarded by `mutex`
  std::set<std::pair<void (*)(void*), void*>> once;  // those in `queue` that came by `post_once`
  Wait* runner = nullptr;                            // the parked entry task; these two are the
  bool ending = false;                               // loop's thread's only
};

}  // namespace troupe::detail

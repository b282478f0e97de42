// SPDX-License-Identifier: Apache-2.0
#pragma once

// How other threads reach a loop.

#include <memory>
#include <utility>

#include "troupe/runtime/base/unique_function.h"

namespace troupe {

namespace detail {
struct LoopRemote;
}

/// A handle by which other threads queue functions into a loop. Copyable; outlives the loop safely.
class LoopToken {
 public:
  /// Queues `function` to be run on the loop, in a task of its own kind: in order, once each. It
  /// must not wait. Thread-safe. Throws `UsageError` when the loop has ended.
  ///
  /// A function that throws stops none of the others, but its error cancels the run and leaves it.
  void post(UniqueFunction<void()> function) const;
  /// Queues a call of `function(argument)`, as `post` does, unless the same one is queued already.
  /// For wake-ups that may come in swarms.
  void post_once(void (*function)(void*), void* argument) const;

 private:
  friend LoopToken current_token();
  explicit LoopToken(std::shared_ptr<detail::LoopRemote> remote) : remote_(std::move(remote)) {}
  std::shared_ptr<detail::LoopRemote> remote_;
};

/// The token of the loop whose task calls. Throws `UsageError` outside of one.
LoopToken current_token();

/// Runs queued functions until cancelled, and then what is queued still; a task of every loop.
void run_posted_functions();

}  // namespace troupe

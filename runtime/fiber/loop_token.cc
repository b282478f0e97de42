// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/loop_token.h"

#include <utility>

namespace troupe {

bool Loop::Remote::post(UniqueFunction<void()> function) {
  const std::lock_guard lock(mutex);
  if (poller == nullptr) return false;
  queue.push_back(std::move(function));
  if (queue.size() == 1) poller->interrupt();
  return true;
}

bool Loop::Remote::deliver() noexcept {
  if (runner == nullptr) return false;
  Task& task = *std::exchange(runner, nullptr)->task;
  Loop::current().wake(task);
  return true;
}

void Loop::Remote::close() {
  const std::lock_guard lock(mutex);
  poller = nullptr;
  queue.clear();
}

void LoopToken::post(UniqueFunction<void()> function) const {
  if (!remote_->post(std::move(function))) {
    throw UsageError(
        "the loop of this token has ended; keep it running while other threads call into it");
  }
}

LoopToken current_token() { return LoopToken(Loop::current().remote()); }

void run_posted_functions() {
  Loop& loop = Loop::current();
  Loop::Remote& remote = *loop.remote();
  struct Waiting : Wait {
    Loop::Remote* remote;
  };
  for (;;) {
    std::vector<UniqueFunction<void()>> batch;
    {
      const std::lock_guard lock(remote.mutex);
      batch.swap(remote.queue);
    }
    if (batch.empty()) {
      Waiting wait;
      wait.what = "calls from other threads";
      wait.remote = &remote;
      wait.abort = [](Wait& aborted) noexcept {
        static_cast<Waiting&>(aborted).remote->runner = nullptr;
        return true;
      };
      remote.runner = &wait;
      loop.park(wait);
      continue;
    }
    for (UniqueFunction<void()>& function : batch) {
      function();
      loop.spend();
    }
  }
}

}  // namespace troupe

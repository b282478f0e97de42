// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/loop_token.h"

#include <exception>
#include <utility>

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_remote.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {
namespace {

[[noreturn]] void throw_loop_ended() {
  throw UsageError(
      "the loop of this token has ended; keep it running while other threads call into it");
}

// The error of a posted function is an error of the run.
void fail_run(Loop& loop, std::exception_ptr error) {
  TaskNursery* const system = loop.system_nursery();
  (system != nullptr ? system : loop.current_task().nursery)->add_error(std::move(error));
}

// Runs them in order. Others get their turn in between.
void run_all(Loop& loop, std::vector<UniqueFunction<void()>> functions) {
  for (UniqueFunction<void()>& function : functions) {
    try {
      function();
    } catch (const Cancelled&) {
      // It has waited, against the rules; the others still get their turn.
    } catch (...) {
      fail_run(loop, std::current_exception());
    }
    function = nullptr;
    loop.spend();
  }
}

// Parks the current task until `deliver`. Nothing can be lost in between: interrupts are looked at
// on the loop's own thread, after this task has parked.
void wait_for_posts(Loop& loop, detail::LoopRemote& remote) {
  if (remote.waiting() > 0) return loop.checkpoint();
  struct Waiting : Wait {
    detail::LoopRemote* remote;
  } wait;
  wait.what = "calls from other threads";
  wait.remote = &remote;
  wait.abort = [](Wait& aborted) noexcept {
    static_cast<Waiting&>(aborted).remote->runner = nullptr;
    return true;
  };
  remote.runner = &wait;
  loop.park(wait);
}

}  // namespace

namespace detail {

bool LoopRemote::post(UniqueFunction<void()> function) {
  const std::lock_guard lock(mutex);
  if (poller == nullptr) return false;
  queue.push_back(std::move(function));
  if (queue.size() == 1) poller->interrupt();
  return true;
}

bool LoopRemote::post_once(void (*function)(void*), void* argument) {
  const std::lock_guard lock(mutex);
  if (poller == nullptr) return false;
  if (!once.emplace(function, argument).second) return true;
  queue.push_back([this, function, argument] {
    {
      const std::lock_guard running(mutex);
      once.erase({function, argument});
    }
    function(argument);
  });
  if (queue.size() == 1) poller->interrupt();
  return true;
}

void LoopRemote::deliver() noexcept {
  if (runner == nullptr) return;
  Loop::current().wake(*std::exchange(runner, nullptr)->task);
}

bool LoopRemote::end_runner() noexcept {
  if (runner == nullptr) return false;
  ending = true;
  deliver();
  return true;
}

void LoopRemote::close() {
  const std::lock_guard lock(mutex);
  poller = nullptr;
}

std::vector<UniqueFunction<void()>> LoopRemote::take() {
  const std::lock_guard lock(mutex);
  return std::exchange(queue, {});
}

std::size_t LoopRemote::waiting() {
  const std::lock_guard lock(mutex);
  return queue.size();
}

}  // namespace detail

void LoopToken::post(UniqueFunction<void()> function) const {
  if (!remote_->post(std::move(function))) throw_loop_ended();
}

void LoopToken::post_once(void (*function)(void*), void* argument) const {
  if (!remote_->post_once(function, argument)) throw_loop_ended();
}

LoopToken current_token() { return LoopToken(Loop::current().remote()); }

void run_posted_functions() {
  Loop& loop = Loop::current();
  detail::LoopRemote& remote = *loop.remote();
  // Whoever could post was promised that it would be run.
  const auto run_the_last = [&] {
    remote.close();
    run_all(loop, remote.take());
  };
  try {
    while (!remote.ending) {
      run_all(loop, remote.take());
      wait_for_posts(loop, remote);
    }
  } catch (const Cancelled&) {
    run_the_last();
    throw;
  }
  run_the_last();
}

}  // namespace troupe

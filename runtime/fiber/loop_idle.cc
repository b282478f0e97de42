// SPDX-License-Identifier: Apache-2.0

// What a loop does when no task is ready: it waits for the world, lets virtual clocks jump, and
// sees when nothing can ever happen again. All of it runs on the dispatcher's stack, outside of
// tasks.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/instrument.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/task_tree.h"

namespace troupe {
namespace {

// A loop turn aims at this length between two looks at the world, by adapting the budget of
// operations and the number of switches.
constexpr Duration turn_goal = std::chrono::microseconds(200);
constexpr int max_budget = 256;
constexpr int min_picks = 8;
constexpr int max_picks = 256;

}  // namespace

void Loop::run_idle_hooks() noexcept {
  idle_hooks_.for_each([](IdleHook& hook) { hook.before_idle(); });
}

// Looks at the clock, fires deadlines, and adapts what may happen in a turn so that turns keep near
// their goal.
void Loop::tick() noexcept {
  const TimePoint present = now();
  const bool long_turn = present - turn_start_ > turn_goal;
  const int picks = scheduler_.picks_per_poll();
  budget_per_turn_ =
      long_turn ? std::max(budget_per_turn_ / 2, 1) : std::min(budget_per_turn_ * 2, max_budget);
  scheduler_.set_picks_per_poll(long_turn ? std::max(picks / 2, min_picks)
                                          : std::min(picks * 2, max_picks));
  turn_start_ = present;
  deadlines_.fire_due(present);
}

void Loop::poll() noexcept {
  run_idle_hooks();
  poll_events(Duration::zero());
  tick();
}

void Loop::sleep() noexcept {
  run_idle_hooks();
  if (!scheduler_.has_ready()) wait_for_events();
  const int budget = budget_per_turn_;
  const int picks = scheduler_.picks_per_poll();
  tick();  // time asleep is no sign of a long turn
  budget_per_turn_ = std::max(budget, 16);
  scheduler_.set_picks_per_poll(picks);
}

bool Loop::poll_events(Duration timeout) noexcept {
  if (instruments_ == nullptr) [[likely]]
    return poller_.wait(timeout);
  instruments_->tell(&Instrument::before_io_wait, timeout);
  const bool something_happened = poller_.wait(timeout);
  if (instruments_ != nullptr) instruments_->tell(&Instrument::after_io_wait, timeout);
  return something_happened;
}

// Waits for whatever comes first. What waits for quiet goes before what lets time jump, so that a
// test sees its tasks before their deadlines.
void Loop::wait_for_events() noexcept {
  const TimePoint next = deadlines_.next();
  const Duration until_next = clock_->real_time_until(next);
  Duration until_quiet = Duration::max();
  quiet_waits_.for_each(
      [&](const detail::QuietWait& wait) { until_quiet = std::min(until_quiet, wait.cushion); });
  const Duration until_jump = next == never ? Duration::max() : clock_->quiet_before_jump();
  const Duration limit = std::min({until_next, until_quiet, until_jump});
  if (limit == Duration::max() && clock_->reports_deadlock() && !anything_can_happen()) {
    if (!poll_events(Duration::zero())) report_deadlock();
    return;
  }
  if (poll_events(limit) || until_next <= limit) return;
  if (until_quiet <= limit) return end_quiet_waits(until_quiet);
  clock_->jump_to(next);
}

void Loop::wait_until_quiet(Duration cushion) {
  check_cancelled();
  detail::QuietWait wait;
  wait.what = "wait_all_tasks_blocked";
  wait.cushion = cushion;
  wait.abort = [](Wait& aborted) noexcept {
    static_cast<detail::QuietWait&>(aborted).unlink();
    return true;
  };
  quiet_waits_.push_back(wait);
  park(wait);
}

void Loop::end_quiet_waits(Duration cushion) noexcept {
  quiet_waits_.for_each([&](detail::QuietWait& wait) {
    if (wait.cushion != cushion) return;
    wait.unlink();
    wake(*wait.task);
  });
}

// Conservative: whoever holds a token of this loop may still call. What a thread has posted before
// it let go of its token is seen by the look at the descriptors that follows.
bool Loop::anything_can_happen() const noexcept {
  const bool threads_may_call = remote_.use_count() > 1;
  std::atomic_thread_fence(std::memory_order_acquire);
  return task_count_ == 0 || threads_may_call ||
         poller_.waiters() + poller_.watches() > background_waits_;
}

// Everything is cancelled, whatever is shielded; the error leaves the run. A task that waits on
// after that keeps the run from ending, so the process is ended instead.
void Loop::report_deadlock() noexcept {
  const std::string text = "deadlock: all " + std::to_string(task_count_) +
                           " tasks wait, and nothing can ever wake one of them\n" + task_tree();
  if (deadlock_) {
    std::fprintf(stderr, "troupe: %s(after all tasks were cancelled)\n", text.c_str());
    std::abort();
  }
  deadlock_ = std::make_exception_ptr(DeadlockError(text));
  tasks_.for_each([](Task& task) {
    for (CancelScope* scope = task.scope; scope != nullptr; scope = scope->parent()) {
      if (scope->shield()) scope->set_shield(false);
    }
  });
  root_scope_.cancel_with({CancelSource::shutdown, "deadlock", {}});
}

}  // namespace troupe

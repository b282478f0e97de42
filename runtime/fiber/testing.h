// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of code that waits: time that jumps instead of passing, waiting until everything waits,
// running blocks of several tasks in a given order, and asking whether a function is a checkpoint.

#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/run.h"

namespace troupe::testing {

/// How a `VirtualClock` goes.
struct VirtualClockOptions {
  /// Virtual seconds in a real one; at 0 time stands still between jumps.
  double rate = 0;
  /// How long (in real time) all tasks must have waited before time jumps to the next deadline;
  /// none: it never does by itself. More than zero for tests in which tasks wait for threads or
  /// descriptors, whose answers come in real time.
  std::optional<Duration> autojump = Duration::zero();
};

/// A clock for tests: time stands still, and jumps to the next deadline when all tasks wait. A run
/// under it that can never go on ends with a `DeadlockError`, which shows the tree of its tasks.
/// Give it to the run (`.clock = &clock`). Resource. Threads: the run's.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(VirtualClockOptions options = {});
  VirtualClock(const VirtualClock&) = delete;
  VirtualClock& operator=(const VirtualClock&) = delete;

  /// Lets `delay` pass at once, and deadlines come in their order. Never waits. Throws `UsageError`
  /// when `delay` is negative or not a number: time does not go back.
  template <class Rep, class Period>
  void jump(std::chrono::duration<Rep, Period> delay) {
    jump_forward(troupe::detail::to_delay(delay));
  }

  /// Virtual seconds in a real one.
  double rate() const noexcept { return rate_; }
  /// Changes the rate from now on. Throws `UsageError` when it is negative or not a number.
  void set_rate(double rate);
  /// Changes the time after which time jumps; none: it never does by itself.
  void set_autojump(std::optional<Duration> autojump) noexcept { autojump_ = autojump; }

  TimePoint now() noexcept override;
  Duration real_time_until(TimePoint deadline) noexcept override;
  Duration quiet_before_jump() noexcept override { return autojump_.value_or(Duration::max()); }
  bool jump_to(TimePoint next_deadline) noexcept override;
  bool reports_deadlock() const noexcept override { return true; }

 private:
  void jump_forward(Duration delay);
  void settle() noexcept;

  double rate_ = 0;
  std::optional<Duration> autojump_;
  TimePoint virtual_base_{};  // the virtual time
  TimePoint real_base_;       // at this real one
};

/// Runs `body` as the root task of a loop on the calling thread; returns its value, or lets its
/// error out, when it and everything that it started have ended. Where `options` name no
/// `schedule_seed`, the environment variable `TROUPE_SCHEDULE_SEED` may: tests can be run with
/// several.
template <std::invocable Body>
std::decay_t<std::invoke_result_t<Body&>> run(Body&& body, FiberOptions options = {});

/// Waits until all other tasks wait, and none has run for `cushion` in real time: the moment at
/// which what they do is settled. When several tasks wait for it, those with the shortest cushion
/// go first. Checkpoint.
void wait_all_tasks_blocked(Duration cushion = Duration::zero());

/// Runs blocks of several tasks in the order of their numbers, from 0 on:
///
///     Sequencer seq;                            // shared by the tasks
///     seq(0, [&] { ... });                      // in one task
///     seq(1, [&] { ... });                      // in another, after that
///
/// Resource.
class Sequencer {
 public:
  /// Waits until the block numbered one less has ended, runs `body`, and returns its value.
  /// Checkpoint, except for number 0. Throws `UsageError` when the number was used before, and when
  /// a task that waited here was cancelled, as the sequence then cannot go on.
  template <std::invocable Body>
  std::invoke_result_t<Body&> operator()(int position, Body&& body) {
    enter(position);
    struct Leave {
      Event& next;
      ~Leave() { next.set(); }
    } const leave{turns_[position + 1]};
    return body();
  }

 private:
  void enter(int position);
  void wait_for_turn(int position);

  std::map<int, Event> turns_;
  std::set<int> used_;
  bool broken_ = false;
};

/// Thrown by `assert_checkpoints` and `assert_no_checkpoints`.
class AssertionFailed : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// What the current task has done so far.
class CheckpointCounts {
 public:
  CheckpointCounts();
  /// Throws `AssertionFailed` unless the task could be cancelled and has let others run (or has
  /// spent its budget for that) since.
  void expect_checkpoint() const;
  /// Throws `AssertionFailed` if the task could be cancelled or has let others run since.
  void expect_none() const;

 private:
  std::uint32_t cancel_points_;
  std::uint32_t schedule_points_;
  int budget_;
};

void draw_seed(FiberOptions& options);

}  // namespace detail

/// Calls `fn`, returns its value, and throws `AssertionFailed` when it was no checkpoint: it must
/// have been a point at which the task can be cancelled, and one at which others run.
template <std::invocable Fn>
std::decay_t<std::invoke_result_t<Fn&>> assert_checkpoints(Fn&& fn) {
  const detail::CheckpointCounts before;
  if constexpr (std::is_void_v<std::invoke_result_t<Fn&>>) {
    fn();
    before.expect_checkpoint();
  } else {
    auto value = fn();
    before.expect_checkpoint();
    return value;
  }
}

/// Calls `fn`, returns its value, and throws `AssertionFailed` when the task could be cancelled or
/// others could run inside of it.
template <std::invocable Fn>
std::decay_t<std::invoke_result_t<Fn&>> assert_no_checkpoints(Fn&& fn) {
  const detail::CheckpointCounts before;
  if constexpr (std::is_void_v<std::invoke_result_t<Fn&>>) {
    fn();
    before.expect_none();
  } else {
    auto value = fn();
    before.expect_none();
    return value;
  }
}

template <std::invocable Body>
std::decay_t<std::invoke_result_t<Body&>> run(Body&& body, FiberOptions options) {
  detail::draw_seed(options);
  return run_tasks(std::forward<Body>(body), options);
}

}  // namespace troupe::testing

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/testing.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "troupe/runtime/fiber/loop.h"

namespace troupe::testing {

// ----- VirtualClock

VirtualClock::VirtualClock(VirtualClockOptions options)
    : autojump_(options.autojump), real_base_(std::chrono::steady_clock::now()) {
  set_rate(options.rate);
}

TimePoint VirtualClock::now() noexcept {
  if (rate_ == 0) return virtual_base_;
  const std::chrono::duration<double, std::nano> real =
      std::chrono::steady_clock::now() - real_base_;
  return virtual_base_ + std::chrono::duration_cast<Duration>(real * rate_);
}

Duration VirtualClock::real_time_until(TimePoint deadline) noexcept {
  if (deadline == never) return Duration::max();
  const TimePoint present = now();
  if (deadline <= present) return Duration::zero();
  const double real = static_cast<double>((deadline - present).count()) / rate_;
  if (rate_ == 0 || real >= 9e18) return Duration::max();
  return Duration(static_cast<Duration::rep>(std::ceil(real)));
}

// The virtual time of now becomes the base.
void VirtualClock::settle() noexcept {
  virtual_base_ = now();
  real_base_ = std::chrono::steady_clock::now();
}

void VirtualClock::set_rate(double rate) {
  if (!(rate >= 0))
    throw UsageError(
        "the rate of a VirtualClock is negative or not a number: time does not go back");
  settle();
  rate_ = rate;
}

bool VirtualClock::jump_to(TimePoint next_deadline) noexcept {
  settle();
  if (next_deadline > virtual_base_) virtual_base_ = next_deadline;
  return true;
}

void VirtualClock::jump_forward(Duration delay) {
  settle();
  virtual_base_ = troupe::detail::saturating_add(virtual_base_, delay);
  Loop* const loop = Loop::try_current();
  if (loop != nullptr && &loop->clock() == this) loop->deadlines().fire_due(virtual_base_);
}

// ----- waiting until all wait

void wait_all_tasks_blocked(Duration cushion) { Loop::current().wait_until_quiet(cushion); }

// ----- Sequencer

void Sequencer::enter(int position) {
  if (position < 0) throw UsageError("the positions of a Sequencer count from 0");
  if (!used_.insert(position).second)
    throw UsageError("position " + std::to_string(position) +
                     " of this Sequencer was used before; each block has a number of its own");
  if (position > 0 && !broken_) wait_for_turn(position);
  if (broken_)
    throw UsageError("this Sequencer is broken: a task was cancelled while it waited for its turn");
}

void Sequencer::wait_for_turn(int position) {
  try {
    turns_[position].wait();
  } catch (const Cancelled&) {
    broken_ = true;
    for (auto& [number, turn] : turns_) turn.set();
    throw UsageError("a task was cancelled while it waited for its turn: the Sequencer is broken");
  }
}

// ----- asserts

namespace detail {

CheckpointCounts::CheckpointCounts() {
  Loop& loop = Loop::current();
  const Task& task = loop.current_task();
  cancel_points_ = task.cancel_points;
  schedule_points_ = task.schedule_points;
  budget_ = loop.budget();
}

void CheckpointCounts::expect_checkpoint() const {
  const CheckpointCounts present;
  const bool could_be_cancelled = present.cancel_points_ != cancel_points_;
  const bool let_others_run =
      present.schedule_points_ != schedule_points_ || present.budget_ != budget_;
  if (could_be_cancelled && let_others_run) return;
  throw AssertionFailed(could_be_cancelled ? "no checkpoint: it never let other tasks run"
                        : let_others_run   ? "no checkpoint: it could not be cancelled"
                                           : "no checkpoint: it never waited");
}

void CheckpointCounts::expect_none() const {
  const CheckpointCounts present;
  if (present.cancel_points_ != cancel_points_)
    throw AssertionFailed("a checkpoint where none was expected: it could be cancelled");
  if (present.schedule_points_ != schedule_points_ || present.budget_ != budget_)
    throw AssertionFailed("a checkpoint where none was expected: it let other tasks run");
}

void draw_seed(FiberOptions& options) {
  if (options.schedule_seed) return;
  const char* const seed = std::getenv("TROUPE_SCHEDULE_SEED");
  if (seed != nullptr && *seed != '\0') options.schedule_seed = std::strtoull(seed, nullptr, 10);
}

}  // namespace detail
}  // namespace troupe::testing

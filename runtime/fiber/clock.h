// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time as tasks see it. A `Clock` can be replaced, so that tests jump instead of sleeping;
// deadlines saturate, so that "for ever" plus an hour is still for ever.

#include <chrono>

#include "troupe/runtime/base/error.h"

namespace troupe {

/// A length of time, in nanoseconds.
using Duration = std::chrono::nanoseconds;
/// A point in a clock's time; `never` is after all others.
using TimePoint = std::chrono::steady_clock::time_point;

/// The deadline that does not come.
inline constexpr TimePoint never = TimePoint::max();

/// Where a loop takes its time from.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The present time; does not go back. Never waits.
  virtual TimePoint now() noexcept = 0;
  /// How long to wait really until `deadline` comes; `Duration::max()` for "until something else
  /// happens".
  virtual Duration real_time_until(TimePoint deadline) noexcept = 0;
  /// How long (in real time) every task must have waited before `jump_to` is called;
  /// `Duration::max()` for never.
  virtual Duration quiet_before_jump() noexcept { return Duration::max(); }
  /// Called when no task can run until `next_deadline`, and `quiet_before_jump` is over. Returns
  /// whether the clock has jumped there.
  virtual bool jump_to(TimePoint next_deadline) noexcept;
  /// Whether the loop reports a deadlock (no task can ever run again) instead of waiting for ever,
  /// as one wants of tests.
  virtual bool reports_deadlock() const noexcept { return false; }
};

/// The clock of the machine (CLOCK_MONOTONIC).
Clock& steady_clock() noexcept;

namespace detail {

[[noreturn]] void throw_bad_delay(const char* what);

/// Any duration, a floating one too, in nanoseconds; saturates. Throws `UsageError` for NaN.
template <class Rep, class Period>
Duration to_duration(std::chrono::duration<Rep, Period> delay) {
  using Seconds = std::chrono::duration<long double>;
  const long double seconds = std::chrono::duration_cast<Seconds>(delay).count();
  if (seconds != seconds) throw_bad_delay("is not a number");
  if (seconds >= 9.2e9L) return Duration::max();
  if (seconds <= -9.2e9L) return Duration::min();
  return std::chrono::duration_cast<Duration>(delay);
}

/// A delay from now on. Throws `UsageError` when it is negative or NaN.
template <class Rep, class Period>
Duration to_delay(std::chrono::duration<Rep, Period> delay) {
  const Duration nanoseconds = to_duration(delay);
  if (nanoseconds < Duration::zero()) throw_bad_delay("is negative");
  return nanoseconds;
}

inline Duration to_delay(Duration delay) {
  if (delay < Duration::zero()) throw_bad_delay("is negative");
  return delay;
}

/// A point in the clock's time that was reckoned with any duration; saturates. Throws `UsageError`
/// for one that is not a number.
template <class D>
TimePoint to_time_point(std::chrono::time_point<std::chrono::steady_clock, D> time) {
  return TimePoint(to_duration(time.time_since_epoch()));
}
inline TimePoint to_time_point(TimePoint time) { return time; }

/// `start + delay`, or `never` where that would overflow.
constexpr TimePoint saturating_add(TimePoint start, Duration delay) noexcept {
  if (delay > Duration::zero() && start > never - delay) return never;
  return start + delay;
}

}  // namespace detail
}  // namespace troupe

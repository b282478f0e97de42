// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sleeping and time limits. Any `std::chrono` duration may be given, floating ones too; deadlines
// saturate. A negative delay or one that is not a number is a `UsageError`.

#include <utility>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/errors.h"

namespace troupe {

/// The present time of the loop's clock.
TimePoint current_time();

/// The time at which the current task will be cancelled: the earliest deadline of the scopes
/// around, up to the first shield; `TimePoint::min()` when it is cancelled already, `never` when
/// there is none.
TimePoint current_effective_deadline();

/// Waits until `deadline`. Checkpoint, even when it has passed.
void sleep_until(TimePoint deadline);
/// The same with a time that was reckoned with any duration.
template <class D>
void sleep_until(std::chrono::time_point<std::chrono::steady_clock, D> deadline) {
  sleep_until(detail::to_time_point(deadline));
}

/// Waits for ever: until cancelled. Checkpoint.
[[noreturn]] void sleep_forever();

namespace detail {
void sleep_for(Duration delay);
TimePoint deadline_after(Duration delay);
[[noreturn]] void throw_too_slow(Duration limit);
}  // namespace detail

/// Waits for `delay`; zero lets every ready task run. Checkpoint.
template <class Rep, class Period>
void sleep(std::chrono::duration<Rep, Period> delay) {
  detail::sleep_for(detail::to_delay(delay));
}

/// Runs `body` and leaves it silently when `deadline` comes first: the result then is false. Never
/// throws for it.
template <class D, detail::ScopeBody Body>
auto move_on_at(std::chrono::time_point<std::chrono::steady_clock, D> deadline, Body&& body) {
  CancelScope scope({.deadline = detail::to_time_point(deadline)});
  return scope.run(std::forward<Body>(body));
}

/// Runs `body` and leaves it silently when `delay` is over first: the result then is false.
template <class Rep, class Period, detail::ScopeBody Body>
auto move_on_after(std::chrono::duration<Rep, Period> delay, Body&& body) {
  return move_on_at(detail::deadline_after(detail::to_delay(delay)), std::forward<Body>(body));
}

namespace detail {

template <ScopeBody Body>
BodyResult<Body> fail_by(TimePoint deadline, Duration limit, Body&& body) {
  auto result = move_on_at(deadline, std::forward<Body>(body));
  if (!result) throw_too_slow(limit);
  if constexpr (!std::is_void_v<BodyResult<Body>>) return *std::move(result);
}

}  // namespace detail

/// Runs `body` and returns its value. Throws `TooSlowError` when `deadline` comes first.
template <class D, detail::ScopeBody Body>
detail::BodyResult<Body> fail_at(std::chrono::time_point<std::chrono::steady_clock, D> deadline,
                                 Body&& body) {
  const TimePoint end = detail::to_time_point(deadline);
  const TimePoint now = current_time();
  const Duration limit = end > now ? end - now : Duration::zero();
  return detail::fail_by(end, limit, std::forward<Body>(body));
}

/// Runs `body` and returns its value. Throws `TooSlowError` when `delay` is over first.
template <class Rep, class Period, detail::ScopeBody Body>
detail::BodyResult<Body> fail_after(std::chrono::duration<Rep, Period> delay, Body&& body) {
  const Duration limit = detail::to_delay(delay);
  return detail::fail_by(detail::deadline_after(limit), limit, std::forward<Body>(body));
}

}  // namespace troupe

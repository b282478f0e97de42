// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/timeouts.h"

#include <algorithm>
#include <chrono>
#include <sstream>

#include "troupe/runtime/fiber/loop.h"

namespace troupe {
namespace {

struct Sleep : Wait {
  struct Alarm : DeadlineEntry {
    Sleep* sleep;
  } alarm;
};

}  // namespace

void checkpoint() { Loop::current().checkpoint(); }

void checkpoint_if_cancelled() { Loop::current().check_cancelled(); }

void cancel_shielded_checkpoint() noexcept { Loop::current().yield(); }

TimePoint current_time() { return Loop::current().now(); }

TimePoint current_effective_deadline() {
  const CancelScope* scope = Loop::current().current_task().scope;
  if (scope->effectively_cancelled()) return TimePoint::min();
  TimePoint earliest = never;
  for (; scope != nullptr; scope = scope->parent()) {
    earliest = std::min(earliest, scope->deadline());
    if (scope->shield()) break;
  }
  return earliest;
}

void sleep_until(TimePoint deadline) {
  Loop& loop = Loop::current();
  if (deadline <= loop.now()) return loop.checkpoint();
  Sleep sleep;
  sleep.what = "sleep";
  sleep.alarm.sleep = &sleep;
  sleep.alarm.fire = [](DeadlineEntry& entry) noexcept {
    Loop::current().wake(*static_cast<Sleep::Alarm&>(entry).sleep->task);
  };
  sleep.abort = [](Wait& aborted) noexcept {
    Loop::current().deadlines().remove(static_cast<Sleep&>(aborted).alarm);
    return true;
  };
  if (deadline != never) loop.deadlines().add(sleep.alarm, deadline);
  loop.park(sleep);
}

void sleep_forever() {
  for (;;) sleep_until(never);
}

namespace detail {

void sleep_for(Duration delay) {
  if (delay == Duration::zero()) return checkpoint();
  sleep_until(deadline_after(delay));
}

TimePoint deadline_after(Duration delay) { return saturating_add(current_time(), delay); }

void throw_too_slow(Duration limit) {
  using std::chrono::microseconds;
  const auto rounded = std::chrono::round<microseconds>(limit);
  std::ostringstream text;
  text << "in task '" << Loop::current().running_task_name() << "' the block of a time limit of "
       << std::chrono::duration<double>(rounded).count()
       << " s (fail_after, fail_at) did not end in time; give it more, or look in "
       << "task_tree() at what it waits for";
  throw TooSlowError(text.str());
}

}  // namespace detail
}  // namespace troupe

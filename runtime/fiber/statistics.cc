// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/statistics.h"

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_remote.h"

namespace troupe {
namespace {

Duration time_until(TimePoint deadline, TimePoint now) {
  if (deadline == never) return Duration::max();
  return deadline <= now ? Duration::zero() : deadline - now;
}

}  // namespace

RunStatistics current_statistics() {
  Loop& loop = Loop::current();
  RunStatistics statistics;
  statistics.tasks_living = loop.task_count();
  statistics.tasks_runnable = loop.runnable_count();
  statistics.time_to_next_deadline = time_until(loop.deadlines().next(), loop.now());
  statistics.tasks_waiting_for_descriptors = loop.poller().waiters();
  statistics.posted_functions = loop.remote()->waiting();
  return statistics;
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/statistics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// T-NUR-20: given statistics, then tasks living, runnable, seconds to next deadline are right.
TEST(StatisticsTest, CountsTasks) {
  run_with_seeds([] {
    checkpoint();
    const RunStatistics before = current_statistics();
    EXPECT_EQ(before.tasks_runnable, 0u);
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) n.start_soon([] { sleep_forever(); });
      EXPECT_EQ(current_statistics().tasks_living, before.tasks_living + 3);
      EXPECT_EQ(current_statistics().tasks_runnable, 3u);
      checkpoint();
      EXPECT_EQ(current_statistics().tasks_living, before.tasks_living + 3);
      EXPECT_EQ(current_statistics().tasks_runnable, 0u);
      n.cancel();
      EXPECT_EQ(current_statistics().tasks_runnable, 3u);
    });
    EXPECT_EQ(current_statistics().tasks_living, before.tasks_living);
  });
}

TEST(StatisticsTest, TellsTheNextDeadline) {
  run_tasks([] {
    EXPECT_EQ(current_statistics().time_to_next_deadline, Duration::max());
    move_on_after(2h, [] {
      move_on_after(1h, [] {
        EXPECT_LE(current_statistics().time_to_next_deadline, 1h);
        EXPECT_GT(current_statistics().time_to_next_deadline, 59min);
      });
      EXPECT_GT(current_statistics().time_to_next_deadline, 119min);
    });
    const TimePoint deadline = current_time() + 50ms;
    CancelScope scope({.deadline = deadline});
    scope.run([&] {
      while (current_time() <= deadline) {
      }
      EXPECT_EQ(current_statistics().time_to_next_deadline, Duration::zero());
    });
    EXPECT_EQ(current_statistics().time_to_next_deadline, Duration::max());
  });
}

TEST(StatisticsTest, CountsDescriptorsAndPostedFunctions) {
  run_tasks([] {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(ends[0]); });
      checkpoint();
      EXPECT_EQ(current_statistics().tasks_waiting_for_descriptors, 1u);
      const LoopToken token = current_token();
      token.post([] {});
      token.post([] {});
      EXPECT_EQ(current_statistics().posted_functions, 2u);
      n.cancel();
    });
    EXPECT_EQ(current_statistics().tasks_waiting_for_descriptors, 0u);
    ::close(ends[0]);
    ::close(ends[1]);
  });
}

TEST(StatisticsTest, IsAUsageErrorOutsideOfATask) {
  EXPECT_THROW(current_statistics(), UsageError);
}

}  // namespace
}  // namespace troupe

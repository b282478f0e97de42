// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/event.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

// T-SYN-01: given an event, then set wakes all, wait is a checkpoint even if set, it cannot be
// cleared, no truthiness.
TEST(EventTest, SetWakesAll) {
  testing::run_with_seeds([] {
    Event event;
    int woken = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          event.wait();
          ++woken;
        });
      }
      testing::wait_all_tasks_blocked();
      EXPECT_EQ(event.statistics().tasks_waiting, 3u);
      event.set();
      EXPECT_EQ(event.statistics().tasks_waiting, 0u);
    });
    EXPECT_EQ(woken, 3);
  });
}

TEST(EventTest, WaitIsACheckpointEvenIfSet) {
  run_tasks([] {
    Event event;
    testing::assert_no_checkpoints([&] { event.set(); });
    testing::assert_checkpoints([&] { event.wait(); });
    CancelScope scope;
    scope.cancel();
    scope.run([&] { event.wait(); });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(EventTest, StaysSet) {
  run_tasks([] {
    Event event;
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    event.wait();
    EXPECT_TRUE(event.is_set());
  });
}

static_assert(!std::is_constructible_v<bool, Event&>, "an event has no truth value: ask is_set()");

}  // namespace
}  // namespace troupe

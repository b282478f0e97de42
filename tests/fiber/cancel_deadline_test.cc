// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// T-CAN-13: given a deadline changed while waiting, earlier or later, then it is honoured; -inf
// cancels now; +inf never.
TEST(DeadlineTest, CanBeMovedWhileATaskWaits) {
  run_with_seeds([] {
    CancelScope scope({.deadline = current_time() + 1h});
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([] { sleep_forever(); }); });
      checkpoint();
      scope.set_deadline(current_time() + 2ms);
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(DeadlineTest, CanBeMovedOutWhileATaskWaits) {
  testing::VirtualClock clock;
  run_with_seeds(
      [] {
        CancelScope scope({.deadline = current_time() + 1s});
        const auto result = scope.run([&] {
          scope.set_deadline(current_time() + 1h);
          sleep(3s);
          scope.set_deadline(never);
          sleep(2h);
        });
        EXPECT_TRUE(result);
        EXPECT_EQ(Loop::current().deadlines().size(), 0u);
      },
      {.clock = &clock});
}

TEST(DeadlineTest, InThePastCancelsNow) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      scope.set_deadline(TimePoint::min());
      checkpoint_if_cancelled();
      ADD_FAILURE() << "not cancelled at once";
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(DeadlineTest, IsSeenByATaskThatComputes) {
  run_tasks([] {
    CancelScope scope({.deadline = current_time() + 1ms});
    scope.run([&] {
      while (!scope.cancel_called()) {
      }
      checkpoint();
      ADD_FAILURE();
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(DeadlineTest, StopsALoopOfCheckpoints) {
  run_with_seeds([] {
    const auto done = move_on_after(1ms, [] {
      for (;;) checkpoint();
    });
    EXPECT_FALSE(done);
  });
}

TEST(DeadlineTest, DoesNotCancelAScopeThatWasLeft) {
  run_tasks([] {
    CancelScope scope({.deadline = current_time() + 1ms});
    scope.run([] {});
    sleep(3ms);
    EXPECT_FALSE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
  });
}

// T-CAN-15: given the effective deadline query, then it is the min over scopes up to the first
// shield, -inf if any is cancelled.
TEST(EffectiveDeadlineTest, IsTheEarliestUpToTheFirstShield) {
  run_tasks([] {
    const TimePoint now = current_time();
    EXPECT_EQ(current_effective_deadline(), never);
    CancelScope early({.deadline = now + 1h});
    CancelScope late({.deadline = now + 2h});
    CancelScope shield({.deadline = now + 3h, .shield = true});
    early.run([&] {
      EXPECT_EQ(current_effective_deadline(), now + 1h);
      late.run([&] {
        EXPECT_EQ(current_effective_deadline(), now + 1h);
        shield.run([&] {
          EXPECT_EQ(current_effective_deadline(), now + 3h);
          early.cancel();
          EXPECT_EQ(current_effective_deadline(), now + 3h);
          shield.set_shield(false);
          EXPECT_EQ(current_effective_deadline(), TimePoint::min());
        });
      });
    });
    EXPECT_EQ(current_effective_deadline(), never);
  });
}

TEST(ManyScopesTest, ThousandsOfEqualDeadlines) {
  run_tasks([] {
    const TimePoint deadline = current_time() + 20ms;
    int moved_on = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 5'000; ++i) {
        n.start_soon(
            [&, deadline] { moved_on += move_on_at(deadline, [] { sleep_forever(); }) ? 0 : 1; });
      }
    });
    EXPECT_EQ(moved_on, 5'000);
  });
}

// T-CAN-21: given a relative-timeout scope, then its deadline counts from entry, not construction;
// reading it before entry is defined.
TEST(RelativeDeadlineTest, CountsFromEntry) {
  run_tasks([] {
    CancelScope scope({.relative_deadline = 1h});
    EXPECT_TRUE(scope.is_relative());
    const TimePoint before = scope.deadline();
    EXPECT_GE(before, current_time() + 59min);
    EXPECT_LE(before, current_time() + 1h);
    sleep(2ms);
    const TimePoint entry = current_time();
    scope.run([&] {
      EXPECT_FALSE(scope.is_relative());
      EXPECT_GE(scope.deadline(), entry + 1h);
      EXPECT_EQ(current_effective_deadline(), scope.deadline());
      EXPECT_THROW(scope.set_relative_deadline(1s), UsageError);
    });
  });
}

TEST(RelativeDeadlineTest, IsReadableOutsideOfATask) {
  CancelScope scope({.relative_deadline = 1s});
  EXPECT_EQ(scope.deadline(), never);
  EXPECT_FALSE(scope.cancel_called());
  scope.set_deadline(TimePoint(5s));
  EXPECT_FALSE(scope.is_relative());
  EXPECT_EQ(scope.deadline(), TimePoint(5s));
}

TEST(RelativeDeadlineTest, Expires) {
  run_tasks([] {
    CancelScope scope;
    scope.set_relative_deadline(1ms);
    scope.run([] { sleep_forever(); });
    EXPECT_TRUE(scope.cancelled_caught());
    CancelScope at_once({.relative_deadline = 0s});
    at_once.run([] { checkpoint(); });
    EXPECT_TRUE(at_once.cancelled_caught());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CancelScope unlimited({.relative_deadline = std::chrono::duration<double>(infinity)});
    EXPECT_EQ(unlimited.deadline(), never);
    EXPECT_TRUE(unlimited.run([] { checkpoint(); }));
  });
}

// T-CAN-23: given deadline and relative deadline both, then error; NaN checks on assignment.
TEST(RelativeDeadlineTest, IsChecked) {
  EXPECT_THROW(CancelScope({.deadline = TimePoint(1s), .relative_deadline = 1s}), UsageError);
  EXPECT_THROW(CancelScope({.relative_deadline = -1s}), UsageError);
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(CancelScope({.relative_deadline = nan}), UsageError);
  CancelScope scope;
  EXPECT_THROW(scope.set_relative_deadline(nan), UsageError);
  EXPECT_THROW(scope.set_relative_deadline(-1ns), UsageError);
}

}  // namespace
}  // namespace troupe

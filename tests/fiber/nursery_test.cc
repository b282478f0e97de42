// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/nursery.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

// T-NUR-01: a main function's return value is returned and its error raised unwrapped.
TEST(RunTest, ReturnsTheValueOfMain) {
  EXPECT_EQ(run_tasks([] { return 7; }), 7);
}

TEST(RunTest, LetsTheErrorOfMainOut) {
  EXPECT_THROW(run_tasks([] { throw std::out_of_range("main's"); }), std::out_of_range);
}

// T-NUR-02: run inside run is an error.
TEST(RunTest, CannotBeNested) {
  run_tasks([] { EXPECT_THROW(run_tasks([] {}), UsageError); });
}

TEST(RunTest, WaitingOutsideOfATaskIsAUsageError) {
  EXPECT_THROW(sleep(1ms), UsageError);
  EXPECT_THROW(checkpoint(), UsageError);
}

TEST(NurseryTest, ReturnsWhatTheBodyReturns) {
  run_tasks([] { EXPECT_EQ(open_task_nursery([](TaskNursery&) { return 42; }), 42); });
}

TEST(NurseryTest, WaitsForAllChildren) {
  run_tasks([] {
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          sleep(1ms);
          ++ended;
        });
      }
    });
    EXPECT_EQ(ended, 3);
  });
}

// T-NUR-03, adapted: a single error leaves the nursery as itself.
TEST(NurseryTest, OneErrorLeavesAsItself) {
  run_tasks([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.start_soon([] { throw std::out_of_range("child's"); });
                 }),
                 std::out_of_range);
  });
}

// T-NUR-04: body and child both err: the group has both.
TEST(NurseryTest, TwoErrorsLeaveAsAGroup) {
  run_tasks([] {
    try {
      open_task_nursery([](TaskNursery& n) {
        n.start_soon([] { throw std::out_of_range("child's"); });
        n.start_soon([] { throw std::logic_error("other child's"); });
      });
      FAIL() << "nothing was thrown";
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
      EXPECT_NE(std::string(group.what()).find("other child's"), std::string::npos);
    }
  });
}

// T-NUR-05: a child errs while the body waits: the body is woken by cancellation.
TEST(NurseryTest, ChildErrorWakesTheBody) {
  run_tasks([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.start_soon([] { throw std::out_of_range("child's"); });
                   sleep_forever();
                 }),
                 std::out_of_range);
  });
}

// T-NUR-10: `start` returns at `started`, with its value; the child then belongs to the nursery.
TEST(NurseryTest, StartReturnsTheStartedValue) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      const int port = n.start<int>([](TaskStatus<int>& status) {
        status.started(8080);
        sleep_forever();
      });
      EXPECT_EQ(port, 8080);
      EXPECT_EQ(n.child_count(), 1u);
      n.cancel();
    });
  });
}

// T-CAN-19: move-on-after leaves silently at its time.
TEST(TimeoutsTest, MoveOnAfterLeavesSilently) {
  run_tasks([] {
    const auto done = move_on_after(1ms, [] { sleep_forever(); });
    EXPECT_FALSE(done);
    EXPECT_TRUE(done.cancelled_caught());
  });
}

}  // namespace
}  // namespace troupe

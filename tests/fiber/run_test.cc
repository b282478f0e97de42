// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/run.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

// T-NUR-01: a main function's return value is returned and its error raised unwrapped.
TEST(RunTest, ReturnsTheValueOfMain) {
  EXPECT_EQ(run_tasks([] { return 7; }), 7);
  EXPECT_EQ(*run_tasks([] { return std::make_unique<int>(8); }), 8);
}

TEST(RunTest, LetsTheErrorOfMainOut) {
  EXPECT_THROW(run_tasks([] { throw std::out_of_range("main's"); }), std::out_of_range);
  EXPECT_THROW(run_tasks([] { throw 42; }), int);
}

TEST(RunTest, CanBeRepeatedAfterAnError) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_THROW(run_tasks([] {
                   checkpoint();
                   throw std::runtime_error("again");
                 }),
                 std::runtime_error);
  }
  EXPECT_EQ(run_tasks([] { return 1; }), 1);
}

// T-NUR-02: run inside run is an error.
TEST(RunTest, CannotBeNested) {
  run_tasks([] {
    EXPECT_THROW(run_tasks([] {}), UsageError);
    checkpoint();  // and the outer one goes on
  });
}

TEST(RunTest, WaitingOutsideOfATaskIsAUsageError) {
  EXPECT_THROW(sleep(1ms), UsageError);
  EXPECT_THROW(sleep_forever(), UsageError);
  EXPECT_THROW(checkpoint(), UsageError);
  EXPECT_THROW(checkpoint_if_cancelled(), UsageError);
  EXPECT_THROW(current_time(), UsageError);
  EXPECT_THROW(current_effective_deadline(), UsageError);
  EXPECT_THROW(open_task_nursery([](TaskNursery&) {}), UsageError);
  EXPECT_THROW(move_on_after(1ms, [] {}), UsageError);
  CancelScope scope;
  EXPECT_THROW(scope.run([] {}), UsageError);
  Event event;
  EXPECT_THROW(event.wait(), UsageError);
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/system_task.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// T-NUR-21: given a system task, then it is outside the main tree, and its crash is an internal
// error which cancels everything.
TEST(SystemTaskTest, IsOutsideOfMainsTree) {
  run_with_seeds([] {
    bool cancelled = false;
    Event go_on;
    bool went_on = false;
    CancelScope scope;
    scope.run([&] {
      open_task_nursery([&](TaskNursery& n) {
        start_system_task("system", [&] {
          try {
            go_on.wait();
            went_on = true;
          } catch (const Cancelled&) {
            cancelled = true;
            throw;
          }
        });
        EXPECT_EQ(n.child_count(), 0u);
        checkpoint();
        scope.cancel();
        checkpoint();
      });
    });
    EXPECT_FALSE(cancelled);
    go_on.set();
    checkpoint();
    EXPECT_TRUE(went_on);
  });
}

TEST(SystemTaskTest, EndsWhenMainHasEnded) {
  bool cancelled = false;
  bool main_ended = false;
  run_tasks([&] {
    start_system_task("system", [&] {
      try {
        sleep_forever();
      } catch (const Cancelled&) {
        EXPECT_TRUE(main_ended);
        cancelled = true;
        throw;
      }
    });
    for (int i = 0; i < 5; ++i) checkpoint();
    main_ended = true;
  });
  EXPECT_TRUE(cancelled);
}

TEST(SystemTaskTest, EndsWhenMainHasFailed) {
  bool ended = false;
  EXPECT_THROW(run_tasks([&] {
                 start_system_task("system", [&] {
                   try {
                     sleep_forever();
                   } catch (const Cancelled&) {
                     ended = true;
                     throw;
                   }
                 });
                 checkpoint();
                 throw std::out_of_range("main's");
               }),
               std::out_of_range);
  EXPECT_TRUE(ended);
}

TEST(SystemTaskTest, ACrashIsAnInternalErrorWhichCancelsEverything) {
  bool main_cancelled = false;
  try {
    run_tasks([&] {
      start_system_task("the watcher", [] { throw std::out_of_range("its bug"); });
      try {
        sleep_forever();
      } catch (const Cancelled&) {
        main_cancelled = true;
        throw;
      }
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InternalError& error) {
    EXPECT_NE(std::string(error.what()).find("the watcher"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("its bug"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(main_cancelled);
}

TEST(SystemTaskTest, ACrashAfterACancellationIsTheOnlyError) {
  EXPECT_THROW(run_tasks([] {
                 start_system_task("cancelled", [] { sleep_forever(); });
                 start_system_task("crashes", [] {
                   try {
                     sleep_forever();
                   } catch (const Cancelled&) {
                     throw std::runtime_error("in cleanup");
                   }
                 });
                 checkpoint();
               }),
               InternalError);
}

TEST(SystemTaskTest, CanStartOthersUntilTheRunEnds) {
  run_with_seeds([] {
    int started = 0;
    start_system_task("outer", [&] {
      start_system_task("inner", [&] { ++started; });
      ++started;
    });
    checkpoint();
    checkpoint();
    EXPECT_EQ(started, 2);
  });
}

TEST(SystemTaskTest, IsAUsageErrorOutsideOfATask) {
  EXPECT_THROW(start_system_task("none", [] {}), UsageError);
}

}  // namespace
}  // namespace troupe

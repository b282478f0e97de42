// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/task_local.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "troupe/runtime/fiber/instrument.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/run_local.h"
#include "troupe/runtime/fiber/system_task.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::run_with_seeds;

TaskLocal<std::string> request("none");
RunLocal<int> pool_size(3);

// T-NUR-25: given task-local variables, then a child copies its parent's at start; system tasks get
// the run's.
TEST(TaskLocalTest, AChildStartsWithItsParentsValues) {
  run_with_seeds([] {
    EXPECT_EQ(request.get(), "none");
    request.set("a");
    open_task_nursery([](TaskNursery& n) {
      n.start_soon([] { EXPECT_EQ(request.get(), "a"); });
      request.set("b");
      n.start_soon([] {
        EXPECT_EQ(request.get(), "b");
        open_task_nursery(
            [](TaskNursery& inner) { inner.start_soon([] { EXPECT_EQ(request.get(), "b"); }); });
      });
    });
  });
}

TEST(TaskLocalTest, ChangesAreATasksOwn) {
  run_with_seeds([] {
    request.set("parent's");
    open_task_nursery([](TaskNursery& n) {
      for (const char* own : {"x", "y", "z"}) {
        n.start_soon([own] {
          request.set(own);
          for (int i = 0; i < 3; ++i) {
            checkpoint();
            EXPECT_EQ(request.get(), own);
          }
        });
      }
      n.wait_all();
      EXPECT_EQ(request.get(), "parent's");
    });
  });
}

// A child gets the values of the task that starts it, not of the one that opened the nursery.
TEST(TaskLocalTest, TheStarterIsTheParent) {
  run_with_seeds([] {
    request.set("opener's");
    open_task_nursery([](TaskNursery& n) {
      n.start_soon([&n] {
        request.set("starter's");
        n.start_soon([] { EXPECT_EQ(request.get(), "starter's"); });
        n.start([](TaskStatus<void>& status) {
          EXPECT_EQ(request.get(), "starter's");
          status.started();
        });
      });
    });
  });
}

TEST(TaskLocalTest, SystemTasksStartWithTheRuns) {
  run_with_seeds([] {
    request.set("main's");
    bool ran = false;
    start_system_task("system", [&] {
      EXPECT_EQ(request.get(), "none");
      request.set("own");
      ran = true;
    });
    checkpoint();
    EXPECT_TRUE(ran);
    EXPECT_EQ(request.get(), "main's");
  });
}

TEST(TaskLocalTest, ARunStartsAnew) {
  run_tasks([] { request.set("first run's"); });
  run_tasks([] { EXPECT_EQ(request.get(), "none"); });
}

TEST(TaskLocalTest, IsAUsageErrorOutsideOfATask) {
  EXPECT_THROW(request.get(), UsageError);
  EXPECT_THROW(request.set("x"), UsageError);
}

// What the loop calls between its tasks belongs to none of them.
TEST(TaskLocalTest, BetweenTasksThereIsTheInitialValueOnly) {
  struct Looker : Instrument {
    TaskLocal<int> variable{7};
    int looks = 0;
    void before_io_wait(Duration) override {
      ++looks;
      EXPECT_EQ(variable.get(), 7);
      EXPECT_THROW(variable.set(8), UsageError);
    }
  } looker;
  FiberOptions options;
  options.instruments = {&looker};
  run_tasks(
      [&] {
        looker.variable.set(9);
        sleep(std::chrono::milliseconds(1));
      },
      options);
  EXPECT_GT(looker.looks, 0);
}

TEST(TaskLocalTest, HoldsMoveOnlyValuesAndFreesThem) {
  run_tasks([] {
    const auto alive = std::make_shared<int>(0);
    TaskLocal<std::unique_ptr<std::shared_ptr<int>>> owner;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        owner.set(std::make_unique<std::shared_ptr<int>>(alive));
        EXPECT_EQ(alive.use_count(), 2);
      });
    });
    EXPECT_EQ(alive.use_count(), 1);
  });
}

// A variable that lies where another one was does not see its values.
TEST(TaskLocalTest, AVariableHasNoMemoryOfAnother) {
  run_tasks([] {
    alignas(TaskLocal<double>) std::byte place[sizeof(TaskLocal<double>)];
    static_assert(sizeof(TaskLocal<int>) <= sizeof place);
    auto* first = new (place) TaskLocal<int>(1);
    first->set(2);
    first->~TaskLocal<int>();
    auto* second = new (place) TaskLocal<double>(0.5);
    EXPECT_EQ(second->get(), 0.5);
    second->~TaskLocal<double>();
  });
}

// T-NUR-29: given run-local variables, then each run has its own and outside access fails.
TEST(RunLocalTest, AllTasksOfARunShareOne) {
  run_with_seeds([] {
    EXPECT_EQ(pool_size.get(), 3);
    open_task_nursery([](TaskNursery& n) { n.start_soon([] { pool_size.set(4); }); });
    EXPECT_EQ(pool_size.get(), 4);
    start_system_task("system", [] {
      EXPECT_EQ(pool_size.get(), 4);
      pool_size.set(5);
    });
    checkpoint();
    EXPECT_EQ(pool_size.get(), 5);
  });
}

TEST(RunLocalTest, EachRunHasItsOwn) {
  run_tasks([] {
    pool_size.set(6);
    std::thread([] {
      run_tasks([] {
        EXPECT_EQ(pool_size.get(), 3);
        pool_size.set(7);
      });
    }).join();
    EXPECT_EQ(pool_size.get(), 6);
  });
  run_tasks([] { EXPECT_EQ(pool_size.get(), 3); });
}

TEST(RunLocalTest, OutsideAccessFails) {
  EXPECT_THROW(pool_size.get(), UsageError);
  EXPECT_THROW(pool_size.set(1), UsageError);
}

TEST(RunLocalTest, ValuesDieWithTheRun) {
  const auto alive = std::make_shared<int>(0);
  static RunLocal<std::shared_ptr<int>> holder;
  run_tasks([&] {
    holder.set(alive);
    EXPECT_EQ(alive.use_count(), 2);
  });
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace troupe

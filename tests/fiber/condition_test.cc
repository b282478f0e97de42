// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/condition.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

TEST(ConditionTest, NotifyWakesUpToNInOrder) {
  testing::run_with_seeds([] {
    Condition condition;
    std::vector<int> woken;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 4; ++i) {
        n.start_soon([&, i] {
          const std::scoped_lock guard(condition);
          condition.wait();
          woken.push_back(i);
        });
        wait_all_tasks_blocked();
      }
      const auto notify = [&](std::size_t count) {
        {
          const std::scoped_lock guard(condition);
          condition.notify(count);
        }
        wait_all_tasks_blocked();
      };
      notify(1);
      EXPECT_EQ(woken, (std::vector<int>{0}));
      notify(2);
      EXPECT_EQ(woken, (std::vector<int>{0, 1, 2}));
      notify(9);
    });
    EXPECT_EQ(woken, (std::vector<int>{0, 1, 2, 3}));
  });
}

TEST(ConditionTest, NeedsItsLock) {
  run_tasks([] {
    Condition condition;
    EXPECT_THROW(condition.wait(), UsageError);
    EXPECT_THROW(condition.notify(), UsageError);
    EXPECT_THROW(condition.notify_all(), UsageError);
  });
}

TEST(ConditionTest, WaitsForAPredicateUnderAGivenLock) {
  testing::run_with_seeds([] {
    Lock lock;
    Condition condition(lock);
    int value = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        const std::scoped_lock guard(lock);
        condition.wait([&] { return value == 3; });
        EXPECT_EQ(value, 3);
      });
      for (int i = 0; i < 3; ++i) {
        const std::scoped_lock guard(lock);
        ++value;
        condition.notify_all();
      }
    });
    EXPECT_FALSE(lock.locked());
  });
}

TEST(ConditionTest, ACancelledWaiterOwnsTheLockAgain) {
  testing::run_with_seeds([] {
    Condition condition;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          const std::scoped_lock guard(
              condition);  // its end would abort if the lock were not owned
          condition.wait();
        });
      });
      wait_all_tasks_blocked();
      {
        const std::scoped_lock guard(condition);
        scope.cancel();
        wait_all_tasks_blocked();
        EXPECT_EQ(condition.statistics().lock_statistics.tasks_waiting, 1u);
      }
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_FALSE(condition.locked());
  });
}

TEST(ConditionTest, WaitingInACancelledScopeKeepsTheLock) {
  run_tasks([] {
    Condition condition;
    CancelScope scope;
    scope.run([&] {
      const std::scoped_lock guard(condition);
      scope.cancel();
      condition.wait();
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_FALSE(condition.locked());
  });
}

// A notification that was given is delivered, whatever is cancelled while the lock is awaited.
TEST(ConditionTest, ANotificationIsNotLostToACancellation) {
  testing::run_with_seeds([] {
    Condition condition;
    CancelScope scope;
    bool notified = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          const std::scoped_lock guard(condition);
          condition.wait();
          notified = true;
        });
      });
      wait_all_tasks_blocked();
      const std::scoped_lock guard(condition);
      condition.notify();
      scope.cancel();
    });
    EXPECT_TRUE(notified);
    EXPECT_FALSE(scope.cancelled_caught());
  });
}

TEST(ConditionTest, ANotifiedWaiterLearnsThatTheLockIsBroken) {
  testing::run_with_seeds([] {
    Condition condition;
    bool broken = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        condition.acquire();
        try {
          condition.wait();
          ADD_FAILURE() << "the lock was acquired";
        } catch (const BrokenLock&) {
          broken = true;
        }
      });
      wait_all_tasks_blocked();
      n.start_soon("careless", [&] {
        condition.acquire();
        condition.notify();
      });
    });
    EXPECT_TRUE(broken);
  });
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/semaphore.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

TEST(SemaphoreTest, CountsDownAndUp) {
  run_tasks([] {
    Semaphore semaphore(2);
    EXPECT_EQ(semaphore.value(), 2u);
    semaphore.acquire();
    semaphore.acquire_nowait();
    EXPECT_EQ(semaphore.value(), 0u);
    EXPECT_THROW(semaphore.acquire_nowait(), WouldBlock);
    EXPECT_FALSE(semaphore.try_lock());
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 1u);
    const std::scoped_lock guard(semaphore);
    EXPECT_EQ(semaphore.value(), 0u);
  });
}

TEST(SemaphoreTest, ReleaseWakesWaitersInOrder) {
  run_tasks([] {
    Semaphore semaphore(0);
    std::vector<int> woken;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&, i] {
          semaphore.acquire();
          woken.push_back(i);
        });
        wait_all_tasks_blocked();
      }
      EXPECT_EQ(semaphore.statistics().tasks_waiting, 3u);
      for (int i = 0; i < 3; ++i) {
        semaphore.release();
        EXPECT_EQ(semaphore.value(), 0u);
        EXPECT_THROW(semaphore.acquire_nowait(), WouldBlock);  // it was given to the waiter
      }
    });
    EXPECT_EQ(woken, (std::vector<int>{0, 1, 2}));
  });
}

TEST(SemaphoreTest, NeverRisesAboveItsMaximum) {
  run_tasks([] {
    Semaphore semaphore(1, 1);
    EXPECT_EQ(semaphore.max_value(), 1u);
    EXPECT_THROW(semaphore.release(), UsageError);
    semaphore.acquire();
    semaphore.release();
    EXPECT_EQ(Semaphore(1).max_value(), unbounded);
  });
}

TEST(SemaphoreTest, RefusesNumbersThatMakeNoSense) {
  EXPECT_THROW(Semaphore(-1), UsageError);
  EXPECT_THROW(Semaphore(2, 1), UsageError);
}

}  // namespace
}  // namespace troupe

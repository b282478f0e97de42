// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/parking_lot.h"

#include <gtest/gtest.h>

#include <vector>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/condition.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"

namespace troupe {
namespace {

// Parks tasks 0, 1, ... in a lot in this order, and records the order in which they wake.
struct Parkers {
  ParkingLot lot;
  std::vector<int> woken;
  std::vector<CancelScope> scopes{5};

  void start(TaskNursery& n, int count) {
    for (int i = 0; i < count; ++i) {
      n.start_soon([this, i] {
        scopes[i].run([&] {
          lot.park("test");
          woken.push_back(i);
        });
      });
      testing::wait_all_tasks_blocked();
    }
  }
};

// T-SYN-09: given a parking lot, then unpark n in order, cancelled ones vanish, repark moves to
// another lot, breaking wakes all with an error and later parks fail.
TEST(ParkingLotTest, UnparksInOrder) {
  run_tasks([] {
    Parkers parkers;
    open_task_nursery([&](TaskNursery& n) {
      parkers.start(n, 5);
      parkers.lot.unpark_one();
      parkers.lot.unpark_one();
      testing::wait_all_tasks_blocked();
      EXPECT_EQ(parkers.woken, (std::vector<int>{0, 1}));
      EXPECT_EQ(parkers.lot.size(), 3u);
      EXPECT_EQ(parkers.lot.unpark_all(), 3u);
    });
    EXPECT_EQ(parkers.woken, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(parkers.lot.unpark_one(), nullptr);
  });
}

// T-SYN-09: cancelled ones vanish.
TEST(ParkingLotTest, CancelledOnesVanish) {
  run_tasks([] {
    Parkers parkers;
    open_task_nursery([&](TaskNursery& n) {
      parkers.start(n, 3);
      parkers.scopes[1].cancel();
      EXPECT_EQ(parkers.lot.size(), 2u);
      parkers.lot.unpark_all();
    });
    EXPECT_EQ(parkers.woken, (std::vector<int>{0, 2}));
  });
}

// T-SYN-09: one that was unparked and is cancelled before it runs has been unparked.
TEST(ParkingLotTest, AWakeUpThatWasGivenIsDelivered) {
  run_tasks([] {
    Parkers parkers;
    open_task_nursery([&](TaskNursery& n) {
      parkers.start(n, 1);
      parkers.lot.unpark_one();
      parkers.scopes[0].cancel();
    });
    EXPECT_EQ(parkers.woken, (std::vector<int>{0}));
  });
}

// T-SYN-09, repark: who is notified moves from the condition's queue to the lock's, keeping order.
TEST(ParkingLotTest, WaitersMoveFromOneQueueToAnother) {
  run_tasks([] {
    Condition condition;
    std::vector<int> woken;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&, i] {
          condition.acquire();
          condition.wait();
          woken.push_back(i);
          condition.release();
        });
        testing::wait_all_tasks_blocked();
      }
      condition.acquire();
      condition.notify(2);
      EXPECT_EQ(condition.statistics().tasks_waiting, 1u);
      EXPECT_EQ(condition.statistics().lock_statistics.tasks_waiting, 2u);
      condition.notify_all();
      EXPECT_EQ(condition.statistics().tasks_waiting, 0u);
      EXPECT_EQ(condition.statistics().lock_statistics.tasks_waiting, 3u);
      condition.release();
    });
    EXPECT_EQ(woken, (std::vector<int>{0, 1, 2}));
  });
}

}  // namespace
}  // namespace troupe

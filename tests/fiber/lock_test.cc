// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/lock.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/condition.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/semaphore.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

// T-SYN-05: given a lock, then only the owner releases, not re-entrant (error, not deadlock),
// nowait would-block, stats give owner and waiters.
TEST(LockTest, OnlyTheOwnerReleases) {
  run_tasks([] {
    Lock lock;
    EXPECT_THROW(lock.release(), UsageError);
    lock.acquire();
    open_task_nursery(
        [&](TaskNursery& n) { n.start_soon([&] { EXPECT_THROW(lock.release(), UsageError); }); });
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_THROW(lock.release(), UsageError);
  });
}

TEST(LockTest, IsNotReEntrant) {
  run_tasks([] {
    Lock lock;
    lock.acquire();
    EXPECT_THROW(lock.acquire(), UsageError);
    EXPECT_THROW(lock.acquire_nowait(), UsageError);
    lock.release();
  });
}

TEST(LockTest, NowaitWouldBlock) {
  run_tasks([] {
    Lock lock;
    lock.acquire_nowait();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        EXPECT_THROW(lock.acquire_nowait(), WouldBlock);
        EXPECT_FALSE(lock.try_lock());
      });
    });
    lock.release();
  });
}

TEST(LockTest, StatisticsGiveOwnerAndWaiters) {
  run_tasks([] {
    Lock lock;
    EXPECT_EQ(lock.statistics().owner, "");
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("the owner", [&] {
        const std::scoped_lock guard(lock);
        sleep_forever();
      });
      wait_all_tasks_blocked();
      for (int i = 0; i < 2; ++i) n.start_soon([&] { lock.acquire(); });
      wait_all_tasks_blocked();
      EXPECT_TRUE(lock.statistics().locked);
      EXPECT_EQ(lock.statistics().owner, "the owner");
      EXPECT_EQ(lock.statistics().tasks_waiting, 2u);
      n.cancel();
      EXPECT_EQ(lock.statistics().tasks_waiting, 0u);
    });
  });
}

TEST(LockTest, WorksWithTheStandardGuards) {
  run_tasks([] {
    Lock lock;
    Lock other;
    {
      const std::scoped_lock both(lock, other);
      EXPECT_TRUE(lock.locked() && other.locked());
    }
    std::unique_lock guard(lock);
    guard.unlock();
    EXPECT_FALSE(lock.locked());
  });
}

// T-SYN-08: given a lock whose owner task exited without release, then waiters and later acquirers
// get broken-resource naming it; handover transfers that duty.
TEST(LockTest, AnOwnerThatEndsBreaksItForLaterAcquirers) {
  run_tasks([] {
    Lock lock;
    open_task_nursery([&](TaskNursery& n) { n.start_soon("careless", [&] { lock.acquire(); }); });
    for (int i = 0; i < 2; ++i) {
      try {
        lock.acquire();
        FAIL() << "the lock was acquired";
      } catch (const BrokenLock& error) {
        EXPECT_NE(std::string(error.what()).find("careless"), std::string::npos) << error.what();
      }
      EXPECT_THROW(lock.acquire_nowait(), BrokenLock);
    }
  });
}

TEST(LockTest, AnOwnerThatEndsBreaksItForWaiters) {
  testing::run_with_seeds([] {
    Lock lock;
    Event may_end;
    int broken = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("careless", [&] {
        lock.acquire();
        may_end.wait();
      });
      wait_all_tasks_blocked();
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          EXPECT_THROW(lock.acquire(), BrokenLock);
          ++broken;
        });
      }
      wait_all_tasks_blocked();
      may_end.set();
    });
    EXPECT_EQ(broken, 3);
  });
}

TEST(LockTest, HandoverTransfersTheDuty) {
  testing::run_with_seeds([] {
    Lock lock;
    lock.acquire();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("heir", [&] { lock.acquire(); });
      wait_all_tasks_blocked();
      n.start_soon([&] {
        try {
          lock.acquire();
          ADD_FAILURE() << "the lock was acquired";
        } catch (const BrokenLock& error) {
          EXPECT_NE(std::string(error.what()).find("heir"), std::string::npos) << error.what();
        }
      });
      wait_all_tasks_blocked();
      lock.release();
    });
  });
}

TEST(LockTest, AnOwnerOfAnotherRunIsNoOwner) {
  Lock lock;
  run_tasks([&] { lock.acquire(); });
  run_tasks([&] { EXPECT_THROW(lock.acquire(), BrokenLock); });
}

// T-SYN-10: given uncontended acquire, then it is still a checkpoint.
TEST(LockTest, UncontendedAcquireIsACheckpoint) {
  run_tasks([] {
    Lock lock;
    Semaphore semaphore(1);
    CapacityLimiter limiter(1);
    Condition condition;
    testing::assert_checkpoints([&] { lock.acquire(); });
    testing::assert_no_checkpoints([&] { lock.release(); });
    testing::assert_no_checkpoints([&] { lock.acquire_nowait(); });
    testing::assert_checkpoints([&] { semaphore.acquire(); });
    testing::assert_no_checkpoints([&] { semaphore.release(); });
    testing::assert_no_checkpoints([&] { semaphore.acquire_nowait(); });
    testing::assert_checkpoints([&] { limiter.acquire(); });
    testing::assert_no_checkpoints([&] { limiter.release(); });
    testing::assert_no_checkpoints([&] { limiter.acquire_nowait(); });
    testing::assert_checkpoints([&] { condition.acquire(); });
    testing::assert_no_checkpoints([&] { condition.release(); });
    testing::assert_no_checkpoints([&] { condition.acquire_nowait(); });
    CancelScope scope;
    scope.cancel();
    lock.release();
    scope.run([&] { lock.acquire(); });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_FALSE(lock.locked());
  });
}

// T-SYN-10: tasks that take a free lock over and over let others run.
TEST(LockTest, UncontendedAcquiresDoNotStarveOthers) {
  run_tasks([] {
    Lock lock;
    bool other_ran = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other_ran = true; });
      while (!other_ran) const std::scoped_lock guard(lock);
    });
  });
}

// The things that can be used as a lock: two verbs, and one that does not wait.
struct LockLike {
  std::function<void()> acquire;
  std::function<void()> acquire_nowait;
  std::function<void()> release;
};

template <class Thing>
LockLike make_lock_like(std::shared_ptr<Thing> thing) {
  return {[thing] { thing->acquire(); }, [thing] { thing->acquire_nowait(); },
          [thing] { thing->release(); }};
}

// A channel with one token in it is a lock.
LockLike make_token_channel(std::size_t capacity) {
  auto channel = std::make_shared<MemoryChannel<int>>(open_memory_channel<int>(capacity));
  channel->send.send_nowait(0);
  return {[channel] { channel->receive.receive(); },
          [channel] { channel->receive.receive_nowait(); },
          [channel] { channel->send.send_nowait(0); }};
}

// So is a channel with room for one.
LockLike make_room_channel() {
  auto channel = std::make_shared<MemoryChannel<int>>(open_memory_channel<int>(1));
  return {[channel] { channel->send.send(0); }, [channel] { channel->send.send_nowait(0); },
          [channel] { channel->receive.receive_nowait(); }};
}

// A flag under a condition.
LockLike make_flag() {
  struct Flag {
    Condition condition;
    bool taken = false;
    std::vector<int> queue;
    int next_ticket = 0;
  };
  auto flag = std::make_shared<Flag>();
  return {[flag] {
            const std::scoped_lock guard(flag->condition);
            const int ticket = flag->next_ticket++;
            flag->queue.push_back(ticket);
            try {
              flag->condition.wait([&] { return !flag->taken && flag->queue.front() == ticket; });
            } catch (const Cancelled&) {
              std::erase(flag->queue, ticket);
              throw;
            }
            std::erase(flag->queue, ticket);
            flag->taken = true;
          },
          [flag] {
            if (flag->taken) throw WouldBlock("taken");
            flag->taken = true;
          },
          [flag] {
            const std::scoped_lock guard(flag->condition);
            flag->taken = false;
            flag->condition.notify_all();
          }};
}

class LockLikeTest : public ::testing::TestWithParam<int> {
 protected:
  static LockLike make() {
    switch (GetParam()) {
      case 0:
        return make_lock_like(std::make_shared<CapacityLimiter>(1));
      case 1:
        return make_lock_like(std::make_shared<Semaphore>(1));
      case 2:
        return make_lock_like(std::make_shared<Semaphore>(1, 1));
      case 3:
        return make_lock_like(std::make_shared<Lock>());
      case 4:
        return make_token_channel(10);
      case 5:
        return make_token_channel(1);
      case 6:
        return make_room_channel();
      default:
        return make_flag();
    }
  }
};

// T-SYN-07: given 8 lock-like things, then exclusion, FIFO fairness, nowait blocks others.
TEST_P(LockLikeTest, Excludes) {
  testing::run_with_seeds([] {
    const LockLike lock = make();
    int inside = 0;
    int most = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 8; ++i) {
        n.start_soon([&] {
          for (int round = 0; round < 3; ++round) {
            lock.acquire();
            most = std::max(most, ++inside);
            checkpoint();
            --inside;
            lock.release();
            checkpoint();
          }
        });
      }
    });
    EXPECT_EQ(most, 1);
  });
}

TEST_P(LockLikeTest, IsFair) {
  testing::run_with_seeds([] {
    const LockLike lock = make();
    std::vector<int> order;
    open_task_nursery([&](TaskNursery& n) {
      lock.acquire();
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&, i] {
          for (int round = 0; round < 2; ++round) {
            lock.acquire();
            order.push_back(i);
            checkpoint();
            lock.release();
          }
        });
        wait_all_tasks_blocked();
      }
      lock.release();
    });
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 0, 1, 2}));
  });
}

TEST_P(LockLikeTest, AcquireNowaitBlocksOthers) {
  run_tasks([] {
    const LockLike lock = make();
    bool other_has_it = false;
    lock.acquire_nowait();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        EXPECT_THROW(lock.acquire_nowait(), WouldBlock);
        lock.acquire();
        other_has_it = true;
        lock.release();
      });
      wait_all_tasks_blocked();
      EXPECT_FALSE(other_has_it);
      lock.release();
    });
    EXPECT_TRUE(other_has_it);
  });
}

INSTANTIATE_TEST_SUITE_P(EightThings, LockLikeTest, ::testing::Range(0, 8));

}  // namespace
}  // namespace troupe

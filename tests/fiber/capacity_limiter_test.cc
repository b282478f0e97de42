// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/capacity_limiter.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

// T-SYN-02: given a capacity limiter, then per-borrower tokens: a borrower cannot take two;
// on-behalf-of works; release by a non-holder errors; total can be raised (wakes), lowered below
// use (drains), zero, infinite.
TEST(CapacityLimiterTest, ABorrowerCannotTakeTwo) {
  run_tasks([] {
    CapacityLimiter limiter(2);
    limiter.acquire();
    EXPECT_THROW(limiter.acquire(), UsageError);
    EXPECT_THROW(limiter.acquire_nowait(), UsageError);
    EXPECT_EQ(limiter.borrowed_tokens(), 1u);
    EXPECT_EQ(limiter.available_tokens(), 1u);
    limiter.release();
    const std::scoped_lock guard(limiter);
    EXPECT_EQ(limiter.borrowed_tokens(), 1u);
  });
}

// T-SYN-02: on-behalf-of works.
TEST(CapacityLimiterTest, TokensMayBeTakenOnBehalfOfOthers) {
  run_tasks([] {
    CapacityLimiter limiter(3);
    const int first = 0;
    const int second = 0;
    limiter.acquire_on_behalf_of(&first);
    limiter.acquire_on_behalf_of_nowait(&second);
    limiter.acquire();
    EXPECT_EQ(limiter.borrowed_tokens(), 3u);
    EXPECT_THROW(limiter.acquire_on_behalf_of(&first), UsageError);
    const int third = 0;
    EXPECT_THROW(limiter.acquire_on_behalf_of_nowait(&third), WouldBlock);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {  // any task may give it back
        limiter.release_on_behalf_of(&first);
        limiter.release_on_behalf_of(&second);
      });
    });
    limiter.release();
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
  });
}

// T-SYN-02: release by a non-holder errors.
TEST(CapacityLimiterTest, ReleaseByANonHolderIsAUsageError) {
  run_tasks([] {
    CapacityLimiter limiter(1);
    EXPECT_THROW(limiter.release(), UsageError);
    EXPECT_THROW(limiter.release_on_behalf_of(&limiter), UsageError);
    limiter.acquire();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(limiter.release(), UsageError); });
      n.start_soon([&] { limiter.acquire_on_behalf_of(&limiter); });
      wait_all_tasks_blocked();
      EXPECT_THROW(limiter.release_on_behalf_of(&limiter), UsageError) << "it waits";
      EXPECT_THROW(limiter.acquire_on_behalf_of(&limiter), UsageError) << "it waits";
      limiter.release();
    });
    EXPECT_EQ(limiter.borrowed_tokens(), 1u);
  });
}

// Starts tasks that take a token each and hold it until they are cancelled.
void start_holders(TaskNursery& n, CapacityLimiter& limiter, int count) {
  for (int i = 0; i < count; ++i) {
    n.start_soon([&limiter] {
      const std::scoped_lock guard(limiter);
      sleep_forever();
    });
  }
  wait_all_tasks_blocked();
}

// T-SYN-02: total can be raised, which wakes.
TEST(CapacityLimiterTest, RaisingTheTotalWakes) {
  run_tasks([] {
    CapacityLimiter limiter(1);
    open_task_nursery([&](TaskNursery& n) {
      start_holders(n, limiter, 5);
      EXPECT_EQ(limiter.statistics().borrowed_tokens, 1u);
      EXPECT_EQ(limiter.statistics().tasks_waiting, 4u);
      limiter.set_total_tokens(3);
      EXPECT_EQ(limiter.borrowed_tokens(), 3u);
      EXPECT_EQ(limiter.statistics().tasks_waiting, 2u);
      limiter.set_total_tokens(unbounded);
      EXPECT_EQ(limiter.borrowed_tokens(), 5u);
      EXPECT_EQ(limiter.available_tokens(), unbounded);
      n.cancel();
    });
  });
}

// T-SYN-02: lowered below use, it drains.
TEST(CapacityLimiterTest, LoweringTheTotalBelowUseDrains) {
  run_tasks([] {
    CapacityLimiter limiter(3);
    const int holders[] = {0, 1, 2};
    for (const int& holder : holders) limiter.acquire_on_behalf_of(&holder);
    limiter.set_total_tokens(1);
    EXPECT_EQ(limiter.total_tokens(), 1u);
    EXPECT_EQ(limiter.borrowed_tokens(), 3u);
    EXPECT_EQ(limiter.available_tokens(), 0u);
    for (const int& holder : holders) {
      EXPECT_THROW(limiter.acquire_nowait(), WouldBlock);
      limiter.release_on_behalf_of(&holder);
    }
    limiter.acquire_nowait();
  });
}

// T-SYN-02: zero, infinite.
TEST(CapacityLimiterTest, TheTotalMayBeZeroOrUnbounded) {
  run_tasks([] {
    CapacityLimiter none(0);
    EXPECT_THROW(none.acquire_nowait(), WouldBlock);
    CapacityLimiter all(unbounded);
    for (std::uintptr_t i = 1; i <= 1000; ++i)
      all.acquire_on_behalf_of_nowait(reinterpret_cast<const void*>(i));
    EXPECT_EQ(all.borrowed_tokens(), 1000u);
    EXPECT_THROW(CapacityLimiter(-1), UsageError);
    EXPECT_THROW(none.set_total_tokens(-1), UsageError);
  });
}
static_assert(!std::is_constructible_v<CapacityLimiter, double>, "there is no half token");

TEST(CapacityLimiterTest, ServesInOrder) {
  run_tasks([] {
    CapacityLimiter limiter(1);
    std::vector<int> order;
    open_task_nursery([&](TaskNursery& n) {
      limiter.acquire();
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&, i] {
          const std::scoped_lock guard(limiter);
          order.push_back(i);
        });
        wait_all_tasks_blocked();
      }
      limiter.release();
    });
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  });
}

// T-SYN-03: given a cancelled waiter on it, then it leaves no trace.
TEST(CapacityLimiterTest, ACancelledWaiterLeavesNoTrace) {
  run_tasks([] {
    CapacityLimiter limiter(1);
    limiter.acquire();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { limiter.acquire_on_behalf_of(&limiter); });
      wait_all_tasks_blocked();
      n.cancel();
    });
    EXPECT_EQ(limiter.statistics().tasks_waiting, 0u);
    limiter.set_total_tokens(2);
    limiter.acquire_on_behalf_of_nowait(&limiter);  // it would be refused if it still waited
    EXPECT_EQ(limiter.borrowed_tokens(), 2u);
  });
}

}  // namespace
}  // namespace troupe

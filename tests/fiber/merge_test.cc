// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "troupe/runtime/fiber/broadcast_channel.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

TEST(MergeTest, GivesWhatIsThereInOrderOfArrival) {
  run_tasks([] {
    auto a = open_memory_channel<int>(5);
    auto b = open_memory_channel<int>(5);
    a.send.send(1);
    b.send.send(2);
    b.send.send(3);
    a.send.send(4);
    a.send.close();
    b.send.close();
    std::vector<int> got;
    for (const int value : merge(a.receive, b.receive)) got.push_back(value);
    EXPECT_EQ(got, (std::vector<int>{1, 2, 3, 4}));
  });
}

TEST(MergeTest, WaitingSendersHaveArrivedToo) {
  run_tasks([] {
    auto a = open_memory_channel<int>(0);
    auto b = open_memory_channel<int>(1);
    std::vector<int> got;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 6; ++i) {
        n.start_soon([&, i] { (i % 2 == 0 ? a : b).send.send(i); });
        wait_all_tasks_blocked();
      }
      auto merged = merge(a.receive, b.receive);
      for (int i = 0; i < 6; ++i) got.push_back(merged.receive());
    });
    EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  });
}

TEST(MergeTest, WaitsForAnyOfThem) {
  testing::run_with_seeds([] {
    auto a = open_memory_channel<int>(0);
    auto b = open_memory_channel<int>(3);
    std::vector<int> got;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (const int value : merge(a.receive, b.receive)) got.push_back(value);
      });
      wait_all_tasks_blocked();
      for (int i = 0; i < 4; ++i) {
        (i % 2 == 0 ? a : b).send.send(i);
        wait_all_tasks_blocked();
      }
      EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3}));
      a.send.close();
      b.send.send(4);
      b.send.close();
    });
    EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4}));
  });
}

TEST(MergeTest, EndsWhenAllHaveEnded) {
  run_tasks([] {
    auto a = open_memory_channel<int>(1);
    auto b = open_memory_channel<int>(1);
    auto merged = merge(a.receive, b.receive);
    EXPECT_EQ(merged.try_receive(), std::nullopt);
    EXPECT_THROW(merged.receive_nowait(), WouldBlock);
    a.send.close();
    EXPECT_THROW(merged.receive_nowait(), WouldBlock);
    b.send.send(1);
    EXPECT_EQ(merged.receive_nowait(), 1);
    b.send.close();
    EXPECT_THROW(merged.receive_nowait(), EndOfChannel);
    EXPECT_THROW(merged.receive(), EndOfChannel);
    EXPECT_EQ(merged.next(), std::nullopt);
    EXPECT_EQ(merged.try_receive(), std::nullopt);
  });
}

TEST(MergeTest, TakesRvaluesOverAndClonesLvalues) {
  run_tasks([] {
    auto a = open_memory_channel<int>(1);
    auto b = open_memory_channel<int>(1);
    auto merged = merge(a.receive, std::move(b.receive));
    EXPECT_TRUE(b.receive.closed());
    EXPECT_EQ(a.send.statistics().open_receive_channels, 2u);
    merged.close();
    EXPECT_EQ(a.send.statistics().open_receive_channels, 1u);
    EXPECT_THROW(b.send.send(1), BrokenChannel);
    EXPECT_THROW(merged.receive(), BrokenChannel);
    a.receive.close();
    EXPECT_THROW(merge(a.receive), BrokenChannel);
  });
}

TEST(MergeTest, TakesReceiversOfBroadcasts) {
  run_tasks([] {
    auto news = open_broadcast<int>(2);
    auto letters = open_memory_channel<int>(5);
    auto merged = merge(news.receive, letters.receive);
    news.send.send(1);
    letters.send.send(2);
    news.send.send(3);
    EXPECT_EQ(merged.receive(), 1);
    EXPECT_EQ(merged.receive(), 2);
    EXPECT_EQ(merged.receive(), 3);
    EXPECT_EQ(news.receive.receive(), 1) << "it is a receiver of its own";
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_EQ(merged.receive(), 4); });
      wait_all_tasks_blocked();
      news.send.send(4);
    });
    for (const int value : {5, 6, 7}) news.send.send(value);
    EXPECT_THROW(merged.receive(), Lagged);
    EXPECT_EQ(merged.receive(), 6);
    EXPECT_EQ(merged.receive(), 7);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_EQ(merged.next(), std::nullopt); });
      wait_all_tasks_blocked();
      letters.send.close();
      news.send.close();
    });
  });
}

TEST(MergeTest, IsACheckpoint) {
  run_tasks([] {
    auto a = open_memory_channel<int>(1);
    a.send.send(1);
    auto merged = merge(a.receive);
    testing::assert_checkpoints([&] { merged.receive(); });
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { merged.receive(); }); });
      wait_all_tasks_blocked();
      scope.cancel();
      a.send.send(2);
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_EQ(merged.receive(), 2) << "the cancelled task must not have taken it";
  });
}

TEST(MergeTest, SharesWithOtherReceivers) {
  testing::run_with_seeds([] {
    auto a = open_memory_channel<int>(2);
    auto b = open_memory_channel<int>(0);
    std::vector<int> seen(60);
    open_task_nursery([&](TaskNursery& n) {
      for (int p = 0; p < 3; ++p) {
        n.start_soon([p, left = a.send, right = b.send] {
          for (int i = 0; i < 20; ++i) (i % 3 == 0 ? left : right).send(20 * p + i);
        });
      }
      a.send.close();
      b.send.close();
      for (int c = 0; c < 2; ++c) {
        n.start_soon([&seen, left = a.receive, right = b.receive] {
          for (const int value : merge(left, right)) ++seen[value];
        });
      }
      n.start_soon([&seen, right = b.receive] {
        for (const int value : right) ++seen[value];
      });
    });
    EXPECT_EQ(seen, std::vector<int>(60, 1));
  });
}

}  // namespace
}  // namespace troupe

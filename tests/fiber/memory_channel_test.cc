// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/memory_channel.h"

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

// clang 14 cannot compile the views of libstdc++ 12.
#if !defined(__clang__) || __clang_major__ >= 16
#define TROUPE_TEST_HAS_VIEWS
#include <ranges>
#endif

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

// T-CHN-01: given capacity 2, then sends block or would-block at full, receive in order,
// would-block at empty.
TEST(MemoryChannelTest, HoldsItsCapacityInOrder) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(2);
    EXPECT_THROW(receive.receive_nowait(), WouldBlock);
    EXPECT_EQ(receive.try_receive(), std::nullopt);
    send.send_nowait(1);
    send.send(2);
    EXPECT_THROW(send.send_nowait(3), WouldBlock);
    EXPECT_FALSE(send.try_send(3));
    EXPECT_EQ(receive.receive(), 1);
    EXPECT_TRUE(send.try_send(4));
    EXPECT_EQ(receive.receive_nowait(), 2);
    EXPECT_EQ(receive.try_receive(), 4);
    EXPECT_THROW(receive.receive_nowait(), WouldBlock);
  });
}

TEST(MemoryChannelTest, SendWaitsWhenFullAndReceiveWhenEmpty) {
  testing::run_with_seeds([] {
    auto channel = open_memory_channel<int>(2);
    std::vector<int> received;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (int i = 0; i < 6; ++i) channel.send.send(i);
        channel.send.close();
      });
      wait_all_tasks_blocked();
      EXPECT_EQ(channel.send.statistics().tasks_waiting_send, 1u);
      n.start_soon([&] {
        for (const int value : channel.receive) received.push_back(value);
      });
    });
    EXPECT_EQ(received, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  });
}

TEST(MemoryChannelTest, EveryOperationThatMayWaitIsACheckpoint) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(5);
    testing::assert_checkpoints([&, &send = send] { send.send(1); });
    testing::assert_no_checkpoints([&send = send] { send.send_nowait(2); });
    testing::assert_checkpoints([&receive = receive] { receive.receive(); });
    testing::assert_no_checkpoints([&receive = receive] { receive.receive_nowait(); });
    send.close();
    testing::assert_checkpoints([&receive = receive] { receive.next(); });
  });
}

TEST(MemoryChannelTest, HandlesCanBeAssigned) {
  run_tasks([] {
    auto one = open_memory_channel<int>(5);
    auto other = open_memory_channel<int>(5);
    one.send = other.send;  // the only sender of `one` is gone
    EXPECT_FALSE(one.receive.next());
    one.send.send(7);
    one.receive = std::move(other.receive);
    EXPECT_EQ(one.receive.receive(), 7);
    EXPECT_TRUE(other.receive.closed());
    EXPECT_EQ(one.receive.statistics().open_send_channels, 2u);
  });
}

TEST(MemoryChannelTest, NothingHappensInACancelledScope) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(5);
    channel.send.send(1);
    CancelScope scope;
    scope.cancel();
    scope.run([&] { channel.send.send(2); });
    CancelScope other;
    other.cancel();
    other.run([&] { channel.receive.receive(); });
    EXPECT_EQ(channel.receive.statistics().current_buffer_used, 1u);
  });
}

// T-CHN-02: given the send side closed, then buffered values are still received, then
// end-of-channel; local send, clone fail closed.
TEST(MemoryChannelTest, WhatWasSentIsReceivedBeforeTheEnd) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(5);
    send.send(1);
    send.send(2);
    send.close();
    send.close();
    EXPECT_TRUE(send.closed());
    EXPECT_THROW(send.send(3), BrokenChannel);
    EXPECT_THROW(send.send_nowait(3), BrokenChannel);
    EXPECT_THROW(send.try_send(3), BrokenChannel);
    EXPECT_THROW(send.clone(), BrokenChannel);
    EXPECT_TRUE(MemorySendChannel<int>(send).closed());
    EXPECT_EQ(receive.receive(), 1);
    EXPECT_EQ(receive.next(), 2);
    for (int i = 0; i < 2; ++i) {
      EXPECT_THROW(receive.receive(), EndOfChannel);
      EXPECT_THROW(receive.receive_nowait(), EndOfChannel);
      EXPECT_EQ(receive.next(), std::nullopt);
      EXPECT_EQ(receive.try_receive(), std::nullopt);
    }
  });
}

TEST(MemoryChannelTest, ClosingTheSendSideWakesReceivers) {
  testing::run_with_seeds([] {
    auto channel = open_memory_channel<int>(0);
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        EXPECT_THROW(channel.receive.receive(), EndOfChannel);
        ++ended;
      });
      n.start_soon([&] { ended += channel.receive.next() == std::nullopt ? 1 : 0; });
      wait_all_tasks_blocked();
      channel.send.close();
    });
    EXPECT_EQ(ended, 2);
  });
}

// T-CHN-02: closing a handle wakes the tasks that wait in it, whatever else is open.
TEST(MemoryChannelTest, ClosingAHandleWakesItsOwnSenders) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(channel.send.send(1), BrokenChannel); });
      wait_all_tasks_blocked();
      channel.send.close();
      EXPECT_EQ(channel.send.statistics().tasks_waiting_send, 0u);
    });
    EXPECT_THROW(channel.receive.receive_nowait(), EndOfChannel);
  });
}

// T-CHN-03: given the receive side closed, then senders (waiting or new) get broken-resource; local
// receivers closed-resource; and it is persistent.
TEST(MemoryChannelTest, ClosingTheReceiveSideBreaksSenders) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(channel.send.send(1), BrokenChannel); });
      wait_all_tasks_blocked();
      channel.receive.close();
    });
    for (int i = 0; i < 2; ++i) {
      EXPECT_THROW(channel.send.send(2), BrokenChannel);
      EXPECT_THROW(channel.send.send_nowait(2), BrokenChannel);
      EXPECT_THROW(channel.send.try_send(2), BrokenChannel);
      EXPECT_THROW(channel.receive.receive(), BrokenChannel);
      EXPECT_THROW(channel.receive.receive_nowait(), BrokenChannel);
      EXPECT_THROW(channel.receive.try_receive(), BrokenChannel);
      EXPECT_THROW(channel.receive.next(), BrokenChannel);
      EXPECT_THROW(channel.receive.clone(), BrokenChannel);
    }
  });
}

TEST(MemoryChannelTest, ClosingAHandleWakesItsOwnReceivers) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(channel.receive.receive(), BrokenChannel); });
      n.start_soon([&] { EXPECT_THROW(channel.receive.next(), BrokenChannel); });
      wait_all_tasks_blocked();
      channel.receive.close();
    });
  });
}

// T-CHN-03: what lies in the buffer dies with the last receiver.
TEST(MemoryChannelTest, ValuesThatNobodyCanReceiveAreDropped) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<std::shared_ptr<int>>(5);
    const auto value = std::make_shared<int>(1);
    send.send(value);
    EXPECT_EQ(value.use_count(), 2);
    receive.close();
    EXPECT_EQ(value.use_count(), 1);
  });
}

TEST(MemoryChannelTest, ValuesMayHoldHandlesOnTheirOwnChannel) {
  run_tasks([] {
    struct Reply {
      std::shared_ptr<MemorySendChannel<Reply>> to;
    };
    auto [send, receive] = open_memory_channel<Reply>(5);
    send.send(Reply{std::make_shared<MemorySendChannel<Reply>>(send)});
    EXPECT_EQ(send.statistics().open_send_channels, 2u);
    receive.close();
    EXPECT_EQ(send.statistics().open_send_channels, 1u);
  });
}

// T-CHN-04: given clones, then the side closes only when all clones are; closing one wakes only its
// own waiters.
TEST(MemoryChannelTest, ASideClosesWithItsLastHandle) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(5);
    auto other = send.clone();
    MemorySendChannel<int> third = send;
    send.close();
    other.send(1);
    EXPECT_EQ(receive.receive(), 1);
    other.close();
    EXPECT_THROW(receive.receive_nowait(), WouldBlock);
    { const MemorySendChannel<int> last = std::move(third); }
    EXPECT_THROW(receive.receive_nowait(), EndOfChannel);
  });
}

TEST(MemoryChannelTest, TheReceivingSideToo) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(5);
    auto other = receive.clone();
    receive.close();
    send.send(1);
    EXPECT_EQ(other.receive(), 1);
    other.close();
    EXPECT_THROW(send.send(2), BrokenChannel);
  });
}

TEST(MemoryChannelTest, ClosingACloneWakesOnlyItsOwnWaiters) {
  testing::run_with_seeds([] {
    auto channel = open_memory_channel<int>(0);
    auto other_send = channel.send.clone();
    auto other_receive = channel.receive.clone();
    int broken = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        EXPECT_THROW(channel.send.send(1), BrokenChannel);
        ++broken;
      });
      n.start_soon([&] { other_send.send(2); });
      wait_all_tasks_blocked();
      channel.send.close();
      wait_all_tasks_blocked();
      EXPECT_EQ(broken, 1);
      EXPECT_EQ(channel.receive.receive(), 2);
      n.start_soon([&] {
        EXPECT_THROW(channel.receive.receive(), BrokenChannel);
        ++broken;
      });
      n.start_soon([&] { EXPECT_EQ(other_receive.receive(), 3); });
      wait_all_tasks_blocked();
      channel.receive.close();
      wait_all_tasks_blocked();
      EXPECT_EQ(broken, 2);
      other_send.send(3);
    });
  });
}

TEST(MemoryChannelTest, HandlesMayBeMovedWhileTasksWaitInThem) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    std::optional<MemorySendChannel<int>> moved;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(channel.send.send(1), BrokenChannel); });
      wait_all_tasks_blocked();
      moved.emplace(std::move(channel.send));
      EXPECT_TRUE(channel.send.closed());
      EXPECT_THROW(channel.send.statistics(), UsageError);
      moved.reset();
    });
  });
}

// T-CHN-05: given many producers or consumers, then every item is delivered once.
TEST(MemoryChannelTest, EveryItemIsDeliveredOnce) {
  testing::run_with_seeds([] {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{3}, unbounded}) {
      auto channel = open_memory_channel<int>(capacity);
      std::vector<int> seen(100);
      open_task_nursery([&](TaskNursery& n) {
        for (int p = 0; p < 5; ++p) {
          n.start_soon([p, send = channel.send] {
            for (int i = 0; i < 20; ++i) send.send(20 * p + i);
          });
        }
        channel.send.close();
        for (int c = 0; c < 3; ++c) {
          n.start_soon([&seen, receive = channel.receive] {
            for (const int value : receive) ++seen[value];
          });
        }
      });
      EXPECT_EQ(seen, std::vector<int>(100, 1));
    }
  });
}

TEST(MemoryChannelTest, WaitersAreServedInOrder) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    std::vector<int> got;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&, i] { channel.send.send(i); });
        wait_all_tasks_blocked();
      }
      for (int i = 0; i < 3; ++i) got.push_back(channel.receive.receive());
    });
    EXPECT_EQ(got, (std::vector<int>{0, 1, 2}));
  });
}

// T-CHN-06: given capacity 0, then rendezvous; infinite, then never blocks; negative or fractional,
// then error.
TEST(MemoryChannelTest, CapacityZeroIsARendezvous) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    EXPECT_THROW(channel.send.send_nowait(1), WouldBlock);
    bool sent = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        channel.send.send(1);
        sent = true;
      });
      wait_all_tasks_blocked();
      EXPECT_FALSE(sent);
      EXPECT_EQ(channel.receive.receive_nowait(), 1);
      n.start_soon([&] { EXPECT_EQ(channel.receive.receive(), 2); });
      wait_all_tasks_blocked();
      EXPECT_TRUE(sent);
      channel.send.send_nowait(2);
    });
  });
}

TEST(MemoryChannelTest, UnboundedNeverBlocks) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(unbounded);
    for (int i = 0; i < 1000; ++i) send.send_nowait(i);
    EXPECT_EQ(receive.statistics().max_buffer_size, unbounded);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(receive.receive(), i);
  });
}

TEST(MemoryChannelTest, ANegativeCapacityIsAUsageError) {
  EXPECT_THROW(open_memory_channel<int>(-1), UsageError);
}

template <class Number>
concept MayBeCapacity = requires(Number n) {
  open_memory_channel<int>(n);
};
static_assert(MayBeCapacity<int> && MayBeCapacity<std::size_t>);
static_assert(!MayBeCapacity<double> && !MayBeCapacity<bool>);

// T-CHN-09: given statistics, then buffer used, peak, max, open handles, waiters are right and drop
// on cancel.
TEST(MemoryChannelTest, StatisticsAreRight) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(2);
    const auto other = channel.send.clone();
    channel.send.send(1);
    channel.send.send(2);
    channel.receive.receive();
    const MemoryChannelStatistics at_first = channel.send.statistics();
    EXPECT_EQ(at_first.current_buffer_used, 1u);
    EXPECT_EQ(at_first.peak_buffer_used, 2u);
    EXPECT_EQ(at_first.max_buffer_size, 2u);
    EXPECT_EQ(at_first.open_send_channels, 2u);
    EXPECT_EQ(at_first.open_receive_channels, 1u);
    channel.send.send(3);
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) n.start_soon([&] { channel.send.send(4); });
      wait_all_tasks_blocked();
      EXPECT_EQ(channel.receive.statistics().tasks_waiting_send, 3u);
      n.cancel();
      EXPECT_EQ(channel.receive.statistics().tasks_waiting_send, 0u);
    });
    channel.receive.receive();
    channel.receive.receive();
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 2; ++i) n.start_soon([&] { channel.receive.receive(); });
      wait_all_tasks_blocked();
      EXPECT_EQ(channel.receive.statistics().tasks_waiting_receive, 2u);
      n.cancel();
      EXPECT_EQ(channel.receive.statistics().tasks_waiting_receive, 0u);
    });
    channel.send.close();
    EXPECT_EQ(channel.send.statistics().open_send_channels, 1u);
  });
}

// A value that was handed over is delivered, even if the receiver is cancelled before it runs.
TEST(MemoryChannelTest, AValueHandedOverIsDelivered) {
  run_tasks([] {
    auto channel = open_memory_channel<int>(0);
    CancelScope scope;
    std::optional<int> got;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { got = channel.receive.receive(); }); });
      wait_all_tasks_blocked();
      channel.send.send_nowait(7);
      scope.cancel();
    });
    EXPECT_EQ(got, 7);
    EXPECT_FALSE(scope.cancelled_caught());
  });
}

TEST(MemoryChannelTest, CarriesValuesThatOnlyMove) {
  run_tasks([] {
    auto channel = open_memory_channel<std::unique_ptr<std::string>>(0);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (const char* text : {"a", "b"}) channel.send.send(std::make_unique<std::string>(text));
        channel.send.close();
      });
      std::string all;
      for (auto& value : channel.receive) all += *std::move(value);
      EXPECT_EQ(all, "ab");
    });
  });
}

TEST(MemoryChannelTest, ASendThatWouldBlockLeavesTheValueAlone) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<std::unique_ptr<int>>(0);
    auto value = std::make_unique<int>(1);
    EXPECT_FALSE(send.try_send(std::move(value)));
    EXPECT_THROW(send.send_nowait(std::move(value)), WouldBlock);
    EXPECT_NE(value, nullptr);
  });
}

struct CannotBeAssigned {
  explicit CannotBeAssigned(int n) : number(n) {}
  const int number;
};

TEST(MemoryChannelTest, ValuesNeedNotBeAssignable) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<CannotBeAssigned>(2);
    send.send(CannotBeAssigned(1));
    send.send(CannotBeAssigned(2));
    send.close();
    int sum = 0;
    for (const CannotBeAssigned& value : receive) sum += value.number;
    EXPECT_EQ(sum, 3);
  });
}

TEST(MemoryChannelTest, HandlesOutliveTheLoop) {
  auto channel = open_memory_channel<int>(1);
  run_tasks([&] { channel.send.send(1); });
  EXPECT_EQ(channel.receive.try_receive(), 1);
}

TEST(MemoryChannelTest, WaitingOutsideOfATaskIsAUsageError) {
  auto channel = open_memory_channel<int>(1);
  EXPECT_THROW(channel.send.send(1), UsageError);
  EXPECT_THROW(channel.receive.receive(), UsageError);
}

#ifdef TROUPE_TEST_HAS_VIEWS
static_assert(std::ranges::input_range<MemoryReceiveChannel<std::unique_ptr<int>>>);
static_assert(std::ranges::input_range<const MemoryReceiveChannel<int>>);

// A receive end is an input range: views work on it.
TEST(MemoryChannelTest, IsAnInputRange) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(unbounded);
    for (int i = 0; i < 30; ++i) send.send(i);
    std::vector<int> got;
    const auto even = [](int i) { return i % 2 == 0; };
    for (const int i : receive | std::views::filter(even) | std::views::take(3)) got.push_back(i);
    EXPECT_EQ(got, (std::vector<int>{0, 2, 4}));
  });
}

// `take` takes no more than it was told to, and does not wait for one more.
TEST(MemoryChannelTest, TakeTakesNoMore) {
  run_tasks([] {
    auto [send, receive] = open_memory_channel<int>(unbounded);
    for (int i = 0; i < 3; ++i) send.send(i);
    std::vector<int> got;
    for (const int i : receive | std::views::take(2)) got.push_back(i);
    EXPECT_EQ(receive.receive(), 2);
    send.send(3);
    for (const int i : receive | std::views::take(1)) got.push_back(i);
    EXPECT_EQ(got, (std::vector<int>{0, 1, 3}));
  });
}
#endif

}  // namespace
}  // namespace troupe

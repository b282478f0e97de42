// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/broadcast_channel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <numeric>
#include <vector>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

// Runs `body` with time that jumps.
template <class Body>
void run_in_virtual_time(Body&& body) {
  testing::VirtualClock clock;
  FiberOptions options;
  options.clock = &clock;
  run_tasks(body, options);
}

// BRD-01: given 10 local subscribers plus the source on one stream of 1000, then each receives the
// full ordered sequence.
TEST(BroadcastTest, EveryReceiverGetsEverythingInOrder) {
  testing::run_with_seeds([] {
    auto broadcast = open_broadcast<int>(1000);
    std::vector<std::vector<int>> got(11);
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 10; ++i) {
        n.start_soon([&got, i, receive = broadcast.send.subscribe()] {
          for (const int value : receive) got[i].push_back(value);
        });
      }
      n.start_soon([&] {
        for (const int value : broadcast.receive) got[10].push_back(value);
      });
      for (int i = 0; i < 1000; ++i) broadcast.send.send(i);
      broadcast.send.close();
    });
    std::vector<int> all(1000);
    std::iota(all.begin(), all.end(), 0);
    for (const auto& values : got) EXPECT_EQ(values, all);
  });
}

// Receives to the end, at the given pace; returns how often it lagged.
int receive_slowly(const BroadcastReceiver<int>& receive, Duration pace, std::vector<int>& got) {
  int lags = 0;
  for (;;) {
    try {
      const auto value = receive.next();
      if (!value) return lags;
      got.push_back(*value);
      sleep(pace);
    } catch (const Lagged& lagged) {
      EXPECT_GT(lagged.missed(), 0u);
      ++lags;
    }
  }
}

// Runs a parent (the first receiver) and a subscriber at different paces; returns their lags.
std::pair<int, int> race(Duration parent_pace, Duration subscriber_pace) {
  std::pair<int, int> lags;
  run_in_virtual_time([&] {
    auto broadcast = open_broadcast<int>(4);
    std::vector<int> parent_got;
    std::vector<int> subscriber_got;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&, receive = broadcast.receive.subscribe()] {
        lags.second = receive_slowly(receive, subscriber_pace, subscriber_got);
      });
      n.start_soon([&] {
        for (int i = 0; i < 40; ++i) {
          broadcast.send.send(i);
          sleep(1ms);
        }
        broadcast.send.close();
      });
      lags.first = receive_slowly(broadcast.receive, parent_pace, parent_got);
    });
    for (const auto& got : {parent_got, subscriber_got}) {
      EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
      EXPECT_EQ(got.back(), 39) << "it goes on from the oldest kept value up to the end";
    }
  });
  return lags;
}

// BRD-02: given a parent slower than the subscriber, then the parent gets "lagged" at least once
// and can go on from the oldest kept value; the other way round the subscriber lags.
TEST(BroadcastTest, TheSlowerOneLags) {
  const auto slow_parent = race(7ms, 1ms);
  EXPECT_GE(slow_parent.first, 1);
  EXPECT_EQ(slow_parent.second, 0);
  const auto slow_subscriber = race(1ms, 7ms);
  EXPECT_EQ(slow_subscriber.first, 0);
  EXPECT_GE(slow_subscriber.second, 1);
}

TEST(BroadcastTest, LaggedTellsHowFar) {
  run_tasks([] {
    auto [send, receive] = open_broadcast<int>(2);
    for (int i = 0; i < 5; ++i) send.send(i);
    try {
      receive.receive();
      FAIL() << "it did not lag";
    } catch (const Lagged& lagged) {
      EXPECT_EQ(lagged.missed(), 3u);
    }
    EXPECT_EQ(receive.receive(), 3);
    EXPECT_EQ(receive.receive(), 4);
    EXPECT_THROW(receive.receive_nowait(), WouldBlock);
  });
}

// BRD-04: given a closed broadcaster, when subscribed, then closed-resource and no leaked
// registration.
TEST(BroadcastTest, SubscribingToAClosedOneLeavesNoTrace) {
  run_tasks([] {
    auto [send, receive] = open_broadcast<int>(2);
    const BroadcastReceiver<int> other = receive.clone();
    EXPECT_EQ(send.statistics().open_receivers, 2u);
    receive.close();
    EXPECT_THROW(receive.subscribe(), BrokenChannel);
    EXPECT_THROW(receive.clone(), BrokenChannel);
    EXPECT_EQ(send.statistics().open_receivers, 1u);
    send.close();
    EXPECT_THROW(send.subscribe(), BrokenChannel);
    EXPECT_THROW(send.send(1), BrokenChannel);
    EXPECT_EQ(other.statistics().open_receivers, 1u);
  });
}

// BRD-05: given slow subscribers with 3 retries, then each lags exactly 4 times and leaves; the
// fast one never lags; end-of-channel then closed-resource follow; a never-iterated first receiver
// is lagged and truncated to the oldest kept item.
TEST(BroadcastTest, SlowConsumersLagOut) {
  run_in_virtual_time([] {
    auto broadcast = open_broadcast<int>(3);
    std::vector<int> slow_lags(4);
    std::vector<int> fast_got;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 4; ++i) {
        n.start_soon([&slow_lags, i, receive = broadcast.send.subscribe()] {
          while (slow_lags[i] < 4) {
            try {
              receive.receive();
              sleep(10ms + i * 1ms);
            } catch (const Lagged&) {
              ++slow_lags[i];
            }
          }
        });
      }
      n.start_soon([&fast_got, receive = broadcast.send.subscribe()]() mutable {
        for (const int value : receive) fast_got.push_back(value);
        EXPECT_THROW(receive.receive(), EndOfChannel);
        receive.close();
        EXPECT_THROW(receive.receive(), BrokenChannel);
      });
      for (int i = 0; i < 100; ++i) {
        broadcast.send.send(i);
        sleep(1ms);
      }
      EXPECT_EQ(broadcast.send.statistics().open_receivers, 2u) << "the slow ones have left";
      broadcast.send.close();
    });
    EXPECT_EQ(slow_lags, std::vector<int>(4, 4));
    EXPECT_EQ(fast_got.size(), 100u);
    try {
      broadcast.receive.receive();
      ADD_FAILURE() << "it did not lag";
    } catch (const Lagged& lagged) {
      EXPECT_EQ(lagged.missed(), 97u);
    }
    for (int i = 97; i < 100; ++i) EXPECT_EQ(broadcast.receive.receive(), i);
    EXPECT_THROW(broadcast.receive.receive(), EndOfChannel);
  });
}

// BRD-07: given "do not raise on lag", then the slow one only warns and continues.
TEST(BroadcastTest, MayWarnInsteadOfRaising) {
  testing::LogCatcher log;
  run_tasks([] {
    auto [send, receive] = open_broadcast<int>(2, {.raise_on_lag = false});
    const auto other = send.subscribe({.raise_on_lag = false});
    for (int i = 0; i < 5; ++i) send.send(i);
    EXPECT_EQ(receive.receive(), 3);
    EXPECT_EQ(other.receive(), 3);
    EXPECT_EQ(receive.receive(), 4);
  });
  EXPECT_EQ(log.count("missed 3 values"), 2);
}

// BRD-08: given end-of-channel from the source, then all subscribers get it.
TEST(BroadcastTest, AllGetTheEnd) {
  testing::run_with_seeds([] {
    auto broadcast = open_broadcast<int>(2);
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&ended, receive = broadcast.receive] {
          EXPECT_EQ(receive.receive(), 1);
          EXPECT_EQ(receive.next(), std::nullopt);
          EXPECT_EQ(receive.try_receive(), std::nullopt);
          EXPECT_THROW(receive.receive(), EndOfChannel);
          ++ended;
        });
      }
      wait_all_tasks_blocked();
      broadcast.send.send(1);
      wait_all_tasks_blocked();
      EXPECT_EQ(broadcast.send.statistics().tasks_waiting_receive, 3u);
      const BroadcastSender<int> gone = std::move(broadcast.send);
    });
    EXPECT_EQ(ended, 3);
  });
}

TEST(BroadcastTest, ACopyGoesOnFromTheSamePlaceASubscriptionFromNow) {
  run_tasks([] {
    auto [send, receive] = open_broadcast<int>(5);
    for (int i = 0; i < 3; ++i) send.send(i);
    EXPECT_EQ(receive.receive(), 0);
    const BroadcastReceiver<int> copy = receive;
    const BroadcastReceiver<int> fresh = receive.subscribe();
    send.send(3);
    EXPECT_EQ(copy.receive(), 1);
    EXPECT_EQ(fresh.receive(), 3);
    EXPECT_EQ(receive.receive(), 1);
  });
}

TEST(BroadcastTest, ClosingAReceiverWakesItsTask) {
  run_tasks([] {
    auto broadcast = open_broadcast<int>(2);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(broadcast.receive.receive(), BrokenChannel); });
      wait_all_tasks_blocked();
      broadcast.receive.close();
    });
    EXPECT_EQ(broadcast.send.statistics().tasks_waiting_receive, 0u);
    EXPECT_EQ(broadcast.send.statistics().open_receivers, 0u);
    broadcast.send.send(1);  // nobody need receive
    EXPECT_EQ(broadcast.send.statistics().sent, 1u);
  });
}

// Who waits has been woken already, and has not run yet.
TEST(BroadcastTest, AReceiverMayBeClosedRightAfterItsTaskWasWoken) {
  using Channel = decltype(open_broadcast<int>(4));
  const std::vector<std::function<void(Channel&, CancelScope&)>> wakers = {
      [](Channel& channel, CancelScope&) { channel.send.send_nowait(1); },
      [](Channel& channel, CancelScope&) { channel.send.close(); },
      [](Channel&, CancelScope& scope) { scope.cancel(); }};
  for (const auto& wake : wakers) {
    run_tasks([&] {
      auto channel = open_broadcast<int>(4);
      CancelScope scope;
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          const auto received = scope.run([&] {
            try {
              channel.receive.receive();
              ADD_FAILURE() << "received from a closed receiver";
            } catch (const BrokenChannel&) {
            }
          });
          EXPECT_EQ(bool(received), !scope.cancel_called());
        });
        wait_all_tasks_blocked();
        wake(channel, scope);
        channel.receive.close();
      });
    });
  }
}

TEST(BroadcastTest, ACancelledReceiverMissesNothing) {
  run_tasks([] {
    auto broadcast = open_broadcast<int>(2);
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { broadcast.receive.receive(); }); });
      wait_all_tasks_blocked();
      scope.cancel();
      broadcast.send.send(1);
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_EQ(broadcast.receive.receive(), 1);
  });
}

TEST(BroadcastTest, SendAndReceiveAreCheckpoints) {
  run_tasks([] {
    auto broadcast = open_broadcast<int>(2);
    testing::assert_checkpoints([&] { broadcast.send.send(1); });
    testing::assert_no_checkpoints([&] { broadcast.send.send_nowait(2); });
    testing::assert_checkpoints([&] { broadcast.receive.receive(); });
    testing::assert_no_checkpoints([&] { broadcast.receive.receive_nowait(); });
  });
}

TEST(BroadcastTest, KeepsAtLeastOneValueAndNotAll) {
  EXPECT_THROW(open_broadcast<int>(0), UsageError);
  EXPECT_THROW(open_broadcast<int>(-1), UsageError);
  EXPECT_THROW(open_broadcast<int>(unbounded), UsageError);
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

// Several local consumers of one stream: each gets every value, none can keep the others from
// theirs but by being slow.

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <vector>

#include "troupe/runtime/fiber/resource_cache.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::with_actor;
using troupe::ReceiveStream;
using Subscription = troupe::StreamSubscription<int>;
using Values = std::vector<int>;

struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Stream = troupe::Stream<int, int>;

// Counts when the gate opens.
void counts(troupe::Sink<int> out, int count) {
  dialogs::gate().wait();
  for (int i = 0; i < count; ++i) out.send(i);
}
void counts_and_fails(troupe::Sink<int> out, int count) {
  counts(out, count);
  throw std::out_of_range("no more");
}
// Counts when it is told to.
void counts_on_demand(troupe::Context<Numbers>& ctx, int count) {
  ctx.started();
  ctx.open_stream([&](Stream& stream) {
    stream.receive();
    for (int i = 0; i < count; ++i) stream.send(i);
  });
}

inline const auto& counters =
    troupe::module<"counters", &counts, &counts_and_fails, &counts_on_demand>;

Values up_to(int end) {
  Values values(static_cast<std::size_t>(end));
  std::iota(values.begin(), values.end(), 0);
  return values;
}

// Takes values until there have been `most`, or the end comes.
Values take(Subscription& values, std::size_t most) {
  Values taken;
  while (taken.size() < most) {
    const std::optional<int> value = values.next();
    if (!value) break;
    taken.push_back(*value);
  }
  return taken;
}

constexpr std::size_t all = 1'000'000;

// What each of several subscribers takes of a stream of `count`, when the number `i` leaves after
// `most[i]` values.
std::vector<Values> taken_by(troupe::Portal& portal, ReceiveStream<int>& stream,
                             const std::vector<std::size_t>& most) {
  std::vector<Values> taken(most.size());
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (std::size_t i = 0; i < most.size(); ++i) {
      n.start_soon([&, i] {
        taken[i] = stream.subscribe([&](Subscription& values) { return take(values, most[i]); });
      });
    }
    n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
  });
  return taken;
}

// STR-06: 22 tasks that subscribe to one stream have all received the same, all of it and in order,
// when the sender ends it; and all loops end.
TEST(SubscribeTest, TwentyTwoSubscribers) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(500, [&](ReceiveStream<int>& stream) {
      const auto taken = taken_by(portal, stream, std::vector<std::size_t>(22, all));
      for (const Values& values : taken) EXPECT_EQ(values, up_to(500));
    });
  });
}

// More values than are kept for the slowest.
TEST(SubscribeTest, AnySubscriberGetsEveryValue) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(10'000, [&](ReceiveStream<int>& stream) {
      for (const Values& values : taken_by(portal, stream, {all, all})) {
        EXPECT_EQ(values, up_to(10'000));
      }
    });
  });
}

TEST(SubscribeTest, SomeLeaveEarly) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(5000, [&](ReceiveStream<int>& stream) {
      const auto taken = taken_by(portal, stream, {10, all, 0, all, 1});
      EXPECT_EQ(taken[0], up_to(10));
      EXPECT_EQ(taken[1], up_to(5000));
      EXPECT_EQ(taken[2], up_to(0));
      EXPECT_EQ(taken[3], up_to(5000));
      EXPECT_EQ(taken[4], up_to(1));
    });
  });
}

// When all have left, the stream goes on where the last of them was.
TEST(SubscribeTest, AllLeave) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(100, [&](ReceiveStream<int>& stream) {
      const auto taken = taken_by(portal, stream, {10, 10, 5});
      EXPECT_EQ(taken[0], up_to(10));
      EXPECT_EQ(taken[2], up_to(5));
      EXPECT_EQ(stream.receive(), 10);
      EXPECT_EQ(stream.receive_nowait(), 11);
      EXPECT_EQ(stream.subscribe([](Subscription& values) { return values.receive(); }), 12);
    });
  });
}

// A subscriber that is cancelled while it waits for the stream on behalf of all.
TEST(SubscribeTest, TheOneThatPullsIsCancelled) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(100, [&](ReceiveStream<int>& stream) {
      troupe::CancelScope pulling;
      std::vector<Values> taken(2);
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] {
          pulling.run(
              [&] { stream.subscribe([](Subscription& values) { return values.receive(); }); });
        });
        for (Values& mine : taken) {
          n.start_soon([&] {
            mine = stream.subscribe([](Subscription& values) { return take(values, all); });
          });
        }
        n.start_soon([&] {
          pulling.cancel();
          portal.run<&dialogs::open_gate>();
        });
      });
      EXPECT_TRUE(pulling.cancelled_caught());
      for (const Values& values : taken) EXPECT_EQ(values, up_to(100));
    });
  });
}

// The error of a stream is every subscriber's, after the last value.
TEST(SubscribeTest, TheStreamEndsWithAnError) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts_and_fails>(50, [&](ReceiveStream<int>& stream) {
      int errors = 0;
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        for (int i = 0; i < 5; ++i) {
          n.start_soon([&] {
            stream.subscribe([&](Subscription& values) {
              EXPECT_EQ(take(values, 50), up_to(50));
              EXPECT_THROW(values.receive(), troupe::RemoteActorError);
              EXPECT_THROW(values.next(), troupe::RemoteActorError);
              ++errors;
            });
          });
        }
        n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
      });
      EXPECT_EQ(errors, 5);
    });
  });
}

// Memory is bounded: the fastest waits for the slowest, and goes on when that leaves.
TEST(SubscribeTest, TheFastestWaitsForTheSlowest) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(5000, [&](ReceiveStream<int>& stream) {
      std::size_t fast = 0;
      std::size_t furthest = 0;
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] {
          stream.subscribe([&](Subscription& values) {
            for (int value : values) {
              EXPECT_EQ(value, static_cast<int>(fast));
              ++fast;
            }
          });
        });
        n.start_soon([&] {
          stream.subscribe([&](Subscription& values) {
            EXPECT_EQ(values.receive(), 0);
            while (fast < 1000) troupe::checkpoint();
            for (int i = 0; i < 100; ++i) troupe::checkpoint();
            furthest = fast;
          });
        });
        n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
      });
      EXPECT_EQ(fast, 5000u);
      EXPECT_LE(furthest, 1100u);
    });
  });
}

// BRD-09: once somebody has subscribed, the stream stays shared: later subscribers, and the stream
// itself, each get everything.
TEST(SubscribeTest, TheStreamItselfIsOneMoreConsumer) {
  with_actor(counters, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(100, [&](ReceiveStream<int>& stream) {
      stream.subscribe([](Subscription& values) { EXPECT_FALSE(values.try_receive()); });
      Values by_stream;
      Values by_subscriber;
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] {
          for (int value : stream) by_stream.push_back(value);
          EXPECT_THROW(stream.receive(), troupe::EndOfChannel);
        });
        n.start_soon([&] {
          by_subscriber = stream.subscribe([](Subscription& values) { return take(values, all); });
        });
        n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
      });
      EXPECT_EQ(by_stream, up_to(100));
      EXPECT_EQ(by_subscriber, up_to(100));
    });
  });
}

// RSC-07: ten tasks share one context and its stream by a key: it is opened once, each of them gets
// every value, and it is closed with the last.
TEST(SubscribeTest, TenTasksShareOneContext) {
  with_actor(counters, [](troupe::Portal& portal) {
    int opened = 0;
    int subscribed = 0;
    std::vector<Values> taken(10);
    const auto open = [&](auto use) {
      portal.open_context<&counts_on_demand>(100, [&](auto& ctx) {
        ++opened;
        ctx.open_stream([&](Stream& stream) { use(stream); });
      });
    };
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (Values& mine : taken) {
        n.start_soon([&] {
          troupe::maybe_open_context("the numbers", open, [&](Stream& stream) {
            mine = stream.subscribe([&](Subscription& values) {
              if (++subscribed == 10) stream.send(1);
              return take(values, all);
            });
          });
        });
      }
    });
    EXPECT_EQ(opened, 1);
    for (const Values& values : taken) EXPECT_EQ(values, up_to(100));
    EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// Code that the guides quote and that no example has. //tools/docs:quotes_test compares them.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

namespace guide {

void prices(troupe::Sink<int> out, const std::string& metal) {
  for (int price = 0; price < 3; ++price) out.send(price + static_cast<int>(metal.size()));
}

inline const auto& market = troupe::module<"market", &prices>;

void stream_forever(troupe::Sink<std::string> out) {
  for (;;) out.send("bubbles");
}

struct Connection {
  bool said_goodbye = false;
  void say_goodbye() {
    troupe::sleep(1ms);
    said_goodbye = true;
  }
};

TEST(GuideTest, ErrorsByType) {
  int reconnected = 0;
  const auto reconnect = [&] { ++reconnected; };
  const auto fetch_all = [] { throw std::out_of_range("no such page"); };
  const auto log = troupe::log::get_logger("guide");
  troupe::handle(
      [&] { fetch_all(); },
      troupe::on<std::out_of_range>([&](const std::out_of_range& e) { log.info(e.what()); }),
      troupe::on<troupe::TransportClosed>([&] { reconnect(); }));
  EXPECT_EQ(reconnected, 0);
}

TEST(GuideTest, AStreamOfTheNewest) {
  int last = 0;
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      const troupe::Portal portal = n.start_actor("market", {.enable_modules = {market}});
      const auto body = [&](troupe::ReceiveStream<int>& newest) {
        for (int price : newest) last = price;
      };
      portal.open_stream<&prices>(
          troupe::StreamOptions{.overrun = troupe::Overrun::drop_oldest, .buffer = 1}, "gold",
          body);
      portal.cancel_actor();
    });
  });
  EXPECT_EQ(last, 6);
}

TEST(GuideTest, AStreamFunctionWithoutAProcess) {
  troupe::testing::run([] {
    troupe::open_task_nursery([](troupe::TaskNursery& nursery) {
      auto channel = troupe::open_memory_channel<std::string>(10);
      nursery.start_soon([out = channel.send] { stream_forever(out); });
      EXPECT_EQ(channel.receive.receive(), "bubbles");
      nursery.cancel();
    });
  });
}

TEST(GuideTest, WaitingWhileCancelled) {
  Connection connection;
  troupe::testing::run([&] {
    troupe::CancelScope scope;
    scope.run([&] {
      try {
        scope.cancel();
        troupe::checkpoint();
      } catch (...) {
        troupe::CancelScope shield({.deadline = troupe::current_time() + 1s, .shield = true});
        shield.run([&] { connection.say_goodbye(); });
        throw;
      }
    });
  });
  EXPECT_TRUE(connection.said_goodbye);
}

TEST(GuideTest, AnHourTakesNoTime) {
  troupe::testing::VirtualClock clock;
  troupe::testing::run([] { troupe::sleep(1h); }, {.clock = &clock});
}

TEST(GuideTest, AStrategyIsAFunction) {
  const troupe::ChildInfo hare{.uid = {"hare", "1"}};
  const troupe::Decision decision = troupe::one_for_one().decide(
      {.child = 0, .restart = troupe::Restart::permanent}, troupe::Children({&hare}));
  EXPECT_EQ(decision.kind(), troupe::Decision::Kind::restart);
}

}  // namespace guide

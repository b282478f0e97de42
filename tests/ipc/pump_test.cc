// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/pump.h"

#include <chrono>

#include <gtest/gtest.h>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

// Waits for something of which it may not be told, as a listener does for the end of a pipe.
class Expectant final : public Pollable {
 public:
  explicit Expectant(Pump& pump) : pump_(pump) {}

  bool drain() override {
    if (++drains > 1'000) pump_.stop();  // it spins
    pump_.mark_touched(*this);
    return false;
  }
  bool look() noexcept override {
    pump_.check_soon(*this);
    return false;
  }

  int drains = 0;

 private:
  Pump& pump_;
};

int drains_within(milliseconds time, int sockets) {
  testing::VirtualClock clock;
  return testing::run(
      [&] {
        Pump pump;
        Expectant one(pump);
        Expectant other(pump);
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([&] { pump.run([] {}); });
          pump.mark_ready(one);
          if (sockets > 1) pump.mark_ready(other);
          sleep(time);
          pump.stop();
        });
        return one.drains;
      },
      {.clock = &clock});
}

TEST(PumpTest, ChecksAgainAfterAWhileAndNotAllTheTime) {
  EXPECT_EQ(drains_within(milliseconds(21), 1), 11);  // at once, and then every 2 ms
}

TEST(PumpTest, ChecksSeveralSocketsTogether) { EXPECT_EQ(drains_within(milliseconds(21), 2), 11); }

TEST(PumpTest, ChecksInTimeThoughOtherWorkComesAllTheTime) {
  testing::VirtualClock clock;
  testing::run(
      [&] {
        Pump pump;
        Expectant socket(pump);
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([&] { pump.run([] {}); });
          pump.mark_ready(socket);
          for (int i = 0; i < 21; ++i) {
            sleep(milliseconds(1));
            pump.tidy_soon();
          }
          pump.stop();
        });
        EXPECT_EQ(socket.drains, 11);
      },
      {.clock = &clock});
}

}  // namespace
}  // namespace troupe

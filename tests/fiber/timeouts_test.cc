// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/fiber/testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;
using FloatSeconds = std::chrono::duration<double>;

// T-CAN-19: given move-on-after(t), then it leaves silently at t; fail-after raises too-slow; both
// even when shielded inside.
TEST(TimeoutsTest, MoveOnLeavesSilently) {
  run_with_seeds([] {
    const TimePoint start = current_time();
    const auto after = move_on_after(1ms, [] { sleep_forever(); });
    EXPECT_FALSE(after);
    EXPECT_TRUE(after.cancelled_caught());
    EXPECT_GE(current_time(), start + 1ms);
    const auto at = move_on_at(current_time() + 1ms, [] { sleep_forever(); });
    EXPECT_TRUE(at.cancelled_caught());
  });
}

TEST(TimeoutsTest, MoveOnGivesTheValueOfWhatWasInTime) {
  run_tasks([] {
    auto result = move_on_after(1h, [] { return 5; });
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 5);
    EXPECT_FALSE(result.cancelled_caught());
  });
}

TEST(TimeoutsTest, FailRaisesTooSlow) {
  run_with_seeds([] {
    EXPECT_THROW(fail_after(1ms, [] { sleep_forever(); }), TooSlowError);
    EXPECT_THROW(fail_at(current_time() + 1ms, [] { sleep_forever(); }), TooSlowError);
    EXPECT_EQ(fail_after(1h, [] { return 7; }), 7);
    EXPECT_EQ(*fail_after(1h, [] { return std::make_unique<int>(8); }), 8);
    checkpoint();
  });
}

TEST(TimeoutsTest, TooSlowSaysWhoAndHowLong) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      n.start_soon("the slow one", [] {
        try {
          fail_after(5ms, [] { sleep_forever(); });
        } catch (const TooSlowError& error) {
          const std::string text = error.what();
          EXPECT_NE(text.find("'the slow one'"), std::string::npos) << text;
          EXPECT_NE(text.find("0.005 s"), std::string::npos) << text;
        }
      });
    });
  });
}

TEST(TimeoutsTest, BothWorkWhenShieldedInside) {
  run_tasks([] {
    CancelScope outer;
    outer.run([&] {
      outer.cancel();
      const auto shielded = [](CancelScope& scope) {
        scope.set_shield(true);
        sleep_forever();
      };
      EXPECT_FALSE(move_on_after(1ms, shielded));
      EXPECT_THROW(fail_after(1ms, shielded), TooSlowError);
      EXPECT_FALSE(move_on_after(1ms, [](CancelScope& timed) {
        timed.set_shield(true);
        CancelScope inner({.shield = true});
        inner.run([&] {
          timed.cancel();
          inner.set_shield(false);
          sleep_forever();
        });
      }));
    });
  });
}

TEST(TimeoutsTest, AnOuterTimeoutIsNotTakenForTheInnerOne) {
  run_tasks([] {
    bool inner_failed = false;
    const auto done = move_on_after(1ms, [&] {
      try {
        fail_after(1h, [] { sleep_forever(); });
      } catch (const TooSlowError&) {
        inner_failed = true;
      }
    });
    EXPECT_FALSE(done);
    EXPECT_FALSE(inner_failed);
  });
}

TEST(TimeoutsTest, EqualDeadlinesEndAtTheOuter) {
  run_tasks([] {
    const TimePoint deadline = current_time() + 50ms;
    bool inner_moved_on = false;
    const auto done = move_on_at(deadline, [&] {
      move_on_at(deadline, [] { sleep_forever(); });
      inner_moved_on = true;
      checkpoint();
    });
    // Which of two equal deadlines fires first is open, that both have fired afterwards is not.
    EXPECT_FALSE(done);
    static_cast<void>(inner_moved_on);
  });
}

// T-CAN-20: given negative or NaN delays, or NaN deadlines, then value error; negative deadline is
// fine. (A TimePoint cannot be NaN.)
TEST(TimeoutsTest, NegativeAndNanDelaysAreUsageErrors) {
  run_tasks([] {
    const FloatSeconds nan(std::numeric_limits<double>::quiet_NaN());
    bool ran = false;
    const auto body = [&] { ran = true; };
    EXPECT_THROW(sleep(-1ms), UsageError);
    EXPECT_THROW(sleep(nan), UsageError);
    EXPECT_THROW(move_on_after(-1ms, body), UsageError);
    EXPECT_THROW(move_on_after(nan, body), UsageError);
    EXPECT_THROW(fail_after(-1ns, body), UsageError);
    EXPECT_THROW(fail_after(nan, body), UsageError);
    EXPECT_FALSE(ran);
  });
}

TEST(TimeoutsTest, PassedDeadlinesAreFine) {
  run_tasks([] {
    sleep_until(TimePoint(-5s));
    sleep_until(TimePoint::min());
    EXPECT_FALSE(move_on_at(TimePoint(-5s), [] { checkpoint(); }));
    EXPECT_FALSE(move_on_at(TimePoint::min(), [] { checkpoint(); }));
    EXPECT_TRUE(move_on_at(TimePoint::min(), [] {})) << "nothing in it could be cancelled";
    EXPECT_THROW(fail_at(TimePoint::min(), [] { checkpoint(); }), TooSlowError);
  });
}

TEST(TimeoutsTest, LongDelaysSaturate) {
  run_tasks([] {
    const FloatSeconds infinity(std::numeric_limits<double>::infinity());
    EXPECT_TRUE(move_on_after(infinity, [] { checkpoint(); }));
    EXPECT_TRUE(move_on_after(std::chrono::hours::max(), [] { checkpoint(); }));
    EXPECT_TRUE(move_on_after(FloatSeconds(1e300), [] { checkpoint(); }));
    EXPECT_TRUE(move_on_after(Duration::max(), [] {
      EXPECT_EQ(current_effective_deadline(), never);
      checkpoint();
    }));
    EXPECT_FALSE(move_on_after(1ms, [] { sleep(std::chrono::hours::max()); }));
    EXPECT_FALSE(move_on_after(1ms, [infinity] { sleep(infinity); }));
  });
}

TEST(TimeoutsTest, AnyDurationMayBeGiven) {
  run_tasks([] {
    const TimePoint start = current_time();
    sleep(FloatSeconds(0.001));
    sleep(std::chrono::duration<float, std::milli>(1.5F));
    sleep(std::chrono::duration<int, std::ratio<1, 1000>>(1));
    sleep(1us);
    EXPECT_GE(current_time(), start + 3500us);
    sleep_until(start + FloatSeconds(0.004));
    EXPECT_GE(current_time(), start + 4ms);
    EXPECT_FALSE(move_on_at(current_time() + FloatSeconds(0.001), [] { sleep_forever(); }));
    EXPECT_EQ(fail_at(current_time() + FloatSeconds(60), [] { return 7; }), 7);
    EXPECT_THROW(fail_at(TimePoint::min(), [] { sleep_forever(); }), TooSlowError);
  });
}

// T-CAN-22: given sleep(0), then a checkpoint.
TEST(SleepTest, ZeroIsACheckpoint) {
  run_with_seeds([] {
    bool other_ran = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other_ran = true; });
      sleep(0s);
      EXPECT_TRUE(other_ran);
    });
    CancelScope scope;
    scope.run([&] {
      scope.cancel();
      sleep(0s);
      ADD_FAILURE();
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// T-CAN-22, adapted: a sleep-forever that is woken by force goes on sleeping: the language says
// that it does not return.
TEST(SleepTest, ForeverCannotBeWoken) {
  run_with_seeds([] {
    bool returned = true;
    open_task_nursery([&](TaskNursery& n) {
      Task* sleeper = nullptr;
      n.start_soon([&] {
        sleeper = &Loop::current().current_task();
        returned = false;
        sleep_forever();
      });
      checkpoint();
      Loop::current().wake(*sleeper);
      checkpoint();
      checkpoint();
      EXPECT_FALSE(returned);
      n.cancel();
      n.wait_all();
    });
  });
}

// In virtual time: on a busy machine several deadlines pass in one turn, and then the seed decides.
TEST(SleepTest, WakesInTheOrderOfDeadlines) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    testing::VirtualClock clock;
    FiberOptions options;
    options.clock = &clock;
    options.schedule_seed = seed;
    std::vector<int> order;
    run_tasks(
        [&] {
          open_task_nursery([&](TaskNursery& n) {
            for (int delay : {12, 4, 8}) {
              n.start_soon([&, delay] {
                sleep(std::chrono::milliseconds(delay));
                order.push_back(delay);
              });
            }
          });
        },
        options);
    EXPECT_EQ(order, (std::vector<int>{4, 8, 12}));
  }
}

TEST(SleepTest, LeavesNoDeadlineBehind) {
  run_tasks([] {
    move_on_after(1ms, [] { sleep(1h); });
    EXPECT_EQ(Loop::current().deadlines().size(), 0u);
  });
}

}  // namespace
}  // namespace troupe

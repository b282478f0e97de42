// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::assert_checkpoints;
using testing::assert_no_checkpoints;
using testing::AssertionFailed;
using testing::Sequencer;
using testing::VirtualClock;
using testing::wait_all_tasks_blocked;
using Record = std::vector<std::string>;

TEST(TestingRunTest, ReturnsTheValueOfTheBody) {
  EXPECT_EQ(testing::run([] { return 7; }), 7);
}

TEST(TestingRunTest, RethrowsTheErrorOfTheBody) {
  EXPECT_THROW(testing::run([] { throw std::out_of_range("body's"); }), std::out_of_range);
}

// T-CLK-01: a mock clock's time stands still unless it is told otherwise.
TEST(VirtualClockTest, StandsStill) {
  VirtualClock clock;
  testing::run(
      [] {
        const TimePoint start = current_time();
        std::this_thread::sleep_for(2ms);
        checkpoint();
        EXPECT_EQ(current_time(), start);
      },
      {.clock = &clock});
}

// T-CLK-01: a mock clock jumps forward only.
TEST(VirtualClockTest, JumpsForwardOnly) {
  VirtualClock clock;
  testing::run(
      [&] {
        const TimePoint start = current_time();
        clock.jump(1h);
        EXPECT_EQ(current_time() - start, 1h);
        EXPECT_THROW(clock.jump(-1s), UsageError);
        EXPECT_THROW(clock.jump(std::chrono::duration<double>(NAN)), UsageError);
        EXPECT_EQ(current_time() - start, 1h);
      },
      {.clock = &clock});
}

// T-CLK-01: a jump lets deadlines come, in their order.
TEST(VirtualClockTest, AJumpWakesSleepersInTheOrderOfTheirDeadlines) {
  VirtualClock clock({.autojump = std::nullopt});
  Record record;
  testing::run(
      [&] {
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([&] { sleep(2s), record.push_back("two"); });
          n.start_soon([&] { sleep(1s), record.push_back("one"); });
          n.start_soon([&] { sleep(3s), record.push_back("three"); });
          wait_all_tasks_blocked();
          for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(record.size(), static_cast<std::size_t>(i));
            clock.jump(1s);
            wait_all_tasks_blocked();
          }
        });
      },
      {.clock = &clock});
  EXPECT_EQ(record, (Record{"one", "two", "three"}));
}

// T-CLK-01: a jump past a deadline cancels at the very next checkpoint.
TEST(VirtualClockTest, AJumpPastADeadlineCancelsTheTaskThatJumps) {
  VirtualClock clock;
  testing::run(
      [&] {
        const auto done = move_on_after(1s, [&] {
          clock.jump(2s);
          checkpoint();
        });
        EXPECT_FALSE(done);
      },
      {.clock = &clock});
}

// T-CLK-01: a mock clock runs at a rate: an hour at a million hours an hour takes no time.
TEST(VirtualClockTest, RunsAtARate) {
  VirtualClock clock({.rate = 1e6, .autojump = std::nullopt});
  testing::run(
      [] {
        const TimePoint start = current_time();
        sleep(1h);
        EXPECT_GE(current_time() - start, 1h);
      },
      {.clock = &clock});
}

TEST(VirtualClockTest, RefusesRatesThatLetTimeGoBack) {
  VirtualClock clock;
  EXPECT_THROW(clock.set_rate(-1), UsageError);
  EXPECT_THROW(clock.set_rate(NAN), UsageError);
  EXPECT_THROW(VirtualClock({.rate = -1}), UsageError);
}

// T-CLK-01: when all tasks wait, time jumps to the next deadline by itself.
TEST(VirtualClockTest, JumpsByItselfWhenAllTasksWait) {
  VirtualClock clock;
  Record record;
  testing::run(
      [&] {
        const TimePoint start = current_time();
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([&] { sleep(24h), record.push_back("day"); });
          n.start_soon([&] { sleep(1h), record.push_back("hour"); });
          sleep(2h);
          record.push_back("two hours");
        });
        EXPECT_EQ(current_time() - start, 24h);
      },
      {.clock = &clock});
  EXPECT_EQ(record, (Record{"hour", "two hours", "day"}));
}

// T-CLK-01: with a threshold, what comes from outside in real time comes before the jump.
TEST(VirtualClockTest, AThresholdLeavesTimeForTheWorld) {
  VirtualClock clock({.autojump = 10s});
  testing::run(
      [&] {
        Event event;
        std::thread other(
            [&event, token = current_token()] { token.post([&event] { event.set(); }); });
        EXPECT_TRUE(move_on_after(1s, [&] { event.wait(); }));
        other.join();
      },
      {.clock = &clock});
}

// When no task can ever run again, the run ends with an error that shows the tree of tasks.
TEST(VirtualClockTest, ADeadlockIsAnErrorWithTheTaskTree) {
  VirtualClock clock;
  Event never_set;
  try {
    testing::run(
        [&] {
          open_task_nursery([&](TaskNursery& n) {
            n.start_soon("philosopher", [&] { never_set.wait(); });
            sleep(1h);
          });
        },
        {.clock = &clock});
    FAIL() << "nothing was thrown";
  } catch (const DeadlockError& error) {
    EXPECT_NE(std::string(error.what()).find("philosopher"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Event::wait"), std::string::npos) << error.what();
  }
}

TEST(VirtualClockTest, ADeadlockInAShieldEndsTheRunToo) {
  VirtualClock clock;
  Event never_set;
  EXPECT_THROW(testing::run(
                   [&] {
                     CancelScope shield({.shield = true});
                     shield.run([&] { never_set.wait(); });
                   },
                   {.clock = &clock}),
               DeadlockError);
}

// A thread that holds the loop's token may still wake somebody: no deadlock.
TEST(VirtualClockTest, ThreadsThatMayCallAreNoDeadlock) {
  VirtualClock clock;
  testing::run(
      [] {
        Event event;
        std::thread other([&event, token = current_token()] {
          std::this_thread::sleep_for(5ms);  // long enough for a wrong verdict
          token.post([&event] { event.set(); });
        });
        event.wait();
        other.join();
      },
      {.clock = &clock});
}

// T-CLK-03: wait-all-tasks-blocked returns when nothing else runs any more.
TEST(WaitAllTasksBlockedTest, ReturnsWhenAllOthersWait) {
  testing::run([] {
    int steps = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (; steps < 1000; ++steps) checkpoint();
        sleep_forever();
      });
      wait_all_tasks_blocked();
      EXPECT_EQ(steps, 1000);
      n.cancel();
    });
  });
}

// T-CLK-03: several waiters wake in the order of their cushions, equal ones together.
TEST(WaitAllTasksBlockedTest, SeveralWakeInTheOrderOfTheirCushions) {
  testing::run([] {
    Record record;
    open_task_nursery([&](TaskNursery& n) {
      const auto waiter = [&](const char* name, Duration cushion) {
        n.start_soon([&record, name, cushion] {
          wait_all_tasks_blocked(cushion);
          record.push_back(name);
        });
      };
      waiter("long", 8ms);
      waiter("short", 1ms);
      waiter("none", 0ms);
      waiter("none", 0ms);
      waiter("middle", 4ms);
    });
    EXPECT_EQ(record, (Record{"none", "none", "short", "middle", "long"}));
  });
}

// T-CLK-03: it returns only when nothing ran for as long as the cushion.
TEST(WaitAllTasksBlockedTest, TheCushionStartsAnewWhenSomethingRuns) {
  testing::run([] {
    int steps = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (; steps < 10; ++steps) sleep(1ms);
        sleep_forever();
      });
      wait_all_tasks_blocked(200ms);
      EXPECT_EQ(steps, 10);
      n.cancel();
    });
  });
}

// T-CLK-03: tasks that wait for a deadline are blocked, too; timeouts do not disturb.
TEST(WaitAllTasksBlockedTest, TimeoutsDoNotDisturb) {
  VirtualClock clock({.autojump = std::nullopt});
  Record record;
  testing::run(
      [&] {
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([&] {
            record.push_back("starts");
            sleep(5s);
            record.push_back("ends");
          });
          wait_all_tasks_blocked();
          EXPECT_EQ(record, (Record{"starts"}));
          clock.jump(10s);
          wait_all_tasks_blocked();
          EXPECT_EQ(record, (Record{"starts", "ends"}));
        });
      },
      {.clock = &clock});
}

// T-CLK-03: it goes before a virtual clock's own jump.
TEST(WaitAllTasksBlockedTest, ComesBeforeTheJumpOfAVirtualClock) {
  VirtualClock clock;
  testing::run(
      [] {
        const TimePoint start = current_time();
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([] { sleep(1h); });
          wait_all_tasks_blocked();
          EXPECT_EQ(current_time(), start);
        });
      },
      {.clock = &clock});
}

TEST(WaitAllTasksBlockedTest, CanBeCancelled) {
  testing::run([] { EXPECT_FALSE(move_on_after(1ms, [] { wait_all_tasks_blocked(1h); })); });
}

// T-CLK-04: assert-checkpoints tells what is no checkpoint; half of one is none.
TEST(AssertCheckpointsTest, TellsWhatIsNone) {
  testing::run([] {
    EXPECT_NO_THROW(assert_checkpoints([] { checkpoint(); }));
    EXPECT_NO_THROW(assert_checkpoints([] { sleep(1ms); }));
    EXPECT_EQ(assert_checkpoints([] { return checkpoint(), 7; }), 7);
    std::string text = "a value, not a reference to one that has gone";
    EXPECT_EQ(assert_checkpoints([&]() -> std::string& { return checkpoint(), text; }), text);
    EXPECT_THROW(assert_checkpoints([] {}), AssertionFailed);
    EXPECT_THROW(assert_checkpoints(&checkpoint_if_cancelled), AssertionFailed);
    EXPECT_THROW(assert_checkpoints(&cancel_shielded_checkpoint), AssertionFailed);
    EXPECT_NO_THROW(assert_checkpoints([] {
      checkpoint_if_cancelled();
      cancel_shielded_checkpoint();
    }));
  });
}

// T-CLK-04: operations that could complete at once are checkpoints, although they do not switch.
TEST(AssertCheckpointsTest, AnEventThatIsSetIsACheckpoint) {
  testing::run([] {
    Event event;
    event.set();
    for (int i = 0; i < 200; ++i) EXPECT_NO_THROW(assert_checkpoints([&] { event.wait(); }));
  });
}

// T-CLK-04: assert-no-checkpoints tells what is one, or half of one.
TEST(AssertNoCheckpointsTest, TellsWhatIsOne) {
  testing::run([] {
    EXPECT_NO_THROW(assert_no_checkpoints([] {}));
    EXPECT_EQ(assert_no_checkpoints([] { return 7; }), 7);
    EXPECT_THROW(assert_no_checkpoints([] { checkpoint(); }), AssertionFailed);
    EXPECT_THROW(assert_no_checkpoints(&checkpoint_if_cancelled), AssertionFailed);
    EXPECT_THROW(assert_no_checkpoints(&cancel_shielded_checkpoint), AssertionFailed);
  });
}

// T-CLK-05: with a sequencer, blocks in several tasks run in the given order.
TEST(SequencerTest, BlocksRunInTheGivenOrder) {
  testing::run([] {
    Sequencer seq;
    std::vector<int> record;
    open_task_nursery([&](TaskNursery& n) {
      for (int task : {2, 0, 1}) {
        n.start_soon([&seq, &record, task] {
          for (int round = 0; round < 3; ++round) {
            seq(round * 3 + task, [&] {
              record.push_back(round * 3 + task);
              checkpoint();
            });
          }
        });
      }
    });
    EXPECT_EQ(record, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  });
}

// T-CLK-05: cancellation of one that waits breaks the others, and those that come later.
TEST(SequencerTest, CancellationOfOneBreaksTheOthers) {
  testing::run([] {
    Sequencer seq;
    int broken = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int position : {1, 2}) {
        n.start_soon([&, position] {
          CancelScope scope;
          if (position == 1) scope.cancel();
          scope.run([&] {
            try {
              seq(position, [] { ADD_FAILURE() << "ran in a broken sequence"; });
            } catch (const UsageError&) {
              ++broken;
            }
          });
        });
      }
      wait_all_tasks_blocked();
    });
    EXPECT_EQ(broken, 2);
    EXPECT_THROW(seq(3, [] {}), UsageError);
  });
}

// T-CLK-05: reuse of a position is an error.
TEST(SequencerTest, ReuseOfAPositionIsAnError) {
  testing::run([] {
    Sequencer seq;
    EXPECT_EQ(seq(0, [] { return 7; }), 7);
    EXPECT_THROW(seq(0, [] {}), UsageError);
    EXPECT_THROW(seq(-1, [] {}), UsageError);
  });
}

}  // namespace
}  // namespace troupe

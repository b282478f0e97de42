// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

std::string thread_name() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

// T-THR-01: blocking work sent to a thread: its result passes.
TEST(ThreadTest, ReturnsTheValue) {
  testing::run([] {
    const std::thread::id loop_thread = std::this_thread::get_id();
    EXPECT_NE(to_thread_run([] { return std::this_thread::get_id(); }), loop_thread);
    EXPECT_EQ(*to_thread_run([] { return std::make_unique<int>(7); }), 7);
    to_thread_run([] {});
  });
}

// T-THR-01: its error passes, with its own type.
TEST(ThreadTest, ThrowsTheError) {
  testing::run([] {
    EXPECT_THROW(to_thread_run([]() -> int { throw std::out_of_range("worker's"); }),
                 std::out_of_range);
  });
}

// T-THR-01: the loop goes on meanwhile.
TEST(ThreadTest, TheLoopGoesOnMeanwhile) {
  testing::run([] {
    std::binary_semaphore go{0};
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { to_thread_run([&] { go.acquire(); }); });
      sleep(1ms);
      go.release();  // would never come if the loop waited
    });
  });
}

// T-THR-01: a thread has the name given, else that of the task.
TEST(ThreadTest, IsNamed) {
  testing::run([] {
    EXPECT_EQ(to_thread_run(&thread_name, {.name = "reader"}), "reader");
    EXPECT_EQ(to_thread_run(&thread_name, {.name = "a name that is too long"}), "a name that is ");
    std::string name;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("librarian", [&] { name = to_thread_run(&thread_name); });
    });
    EXPECT_EQ(name, "librarian");
  });
}

// What the function captured dies in the task, not in the thread some time later.
TEST(ThreadTest, CapturesDieBeforeItReturns) {
  testing::run([] {
    const auto captured = std::make_shared<int>(7);
    for (int i = 0; i < 100; ++i) {
      to_thread_run([captured] { return *captured; });
      ASSERT_EQ(captured.use_count(), 1);
    }
  });
}

// A cancelled task does not start a thread.
TEST(ThreadTest, ACancelledTaskStartsNothing) {
  testing::run([] {
    bool ran = false;
    CancelScope scope;
    scope.cancel();
    EXPECT_FALSE(scope.run([&] { to_thread_run([&] { ran = true; }); }));
    EXPECT_FALSE(ran);
  });
}

// By default a cancelled task waits for the thread, gets its value, and is cancelled after that.
TEST(ThreadTest, ACancelledTaskWaitsForTheThread) {
  testing::run([] {
    std::binary_semaphore go{0};
    int value = 0;
    bool cancelled_later = true;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        value = to_thread_run([&] { return go.acquire(), 7; });
        checkpoint();
        cancelled_later = false;
      });
      wait_all_tasks_blocked();
      n.cancel();
      CancelScope shield({.shield = true});
      shield.run([] { wait_all_tasks_blocked(); });
      EXPECT_EQ(value, 0);
      go.release();
    });
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(cancelled_later);
  });
}

// T-THR-03: an abandoned thread is left to itself.
TEST(ThreadTest, AnAbandonedThreadIsLeftToItself) {
  testing::run([] {
    std::binary_semaphore go{0};
    std::atomic<bool> ended{false};
    EXPECT_FALSE(move_on_after(1ms, [&] {
      to_thread_run(
          [&] {
            go.acquire();
            ended = true;
          },
          {.abandon_on_cancel = true});
    }));
    EXPECT_FALSE(ended);
    go.release();
    wait_all_threads_completed();
    EXPECT_TRUE(ended);
  });
}

// T-THR-03: with a limiter, at most N threads run at once.
TEST(ThreadTest, ALimiterBoundsTheThreads) {
  testing::run([] {
    CapacityLimiter limiter(3);
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 20; ++i) {
        n.start_soon([&] {
          to_thread_run(
              [&] {
                const int now = ++running;
                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                }
                std::this_thread::yield();
                --running;
              },
              {.limiter = &limiter});
        });
      }
    });
    EXPECT_LE(most, 3);
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
  });
}

// T-THR-03: cancelled-but-running threads still count.
TEST(ThreadTest, AbandonedThreadsStillCount) {
  testing::run([] {
    CapacityLimiter limiter(1);
    std::binary_semaphore go{0};
    move_on_after(1ms, [&] {
      to_thread_run([&] { go.acquire(); }, {.abandon_on_cancel = true, .limiter = &limiter});
    });
    EXPECT_EQ(limiter.borrowed_tokens(), 1u);
    bool second_ran = false;
    EXPECT_FALSE(move_on_after(
        1ms, [&] { to_thread_run([&] { second_ran = true; }, {.limiter = &limiter}); }));
    EXPECT_FALSE(second_ran);
    go.release();
    to_thread_run([&] { second_ran = true; }, {.limiter = &limiter});
    EXPECT_TRUE(second_ran);
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
  });
}

// T-THR-03: the default limiter is the loop's own; custom ones are used instead.
TEST(ThreadTest, TheDefaultLimiterIsTheLoopsOwn) {
  testing::run([] {
    EXPECT_EQ(current_default_thread_limiter().total_tokens(), 40u);
    CapacityLimiter custom(1);
    to_thread_run([] {
      from_thread_run([] { EXPECT_EQ(current_default_thread_limiter().borrowed_tokens(), 1u); });
    });
    to_thread_run(
        [&] {
          from_thread_run([&] {
            EXPECT_EQ(current_default_thread_limiter().borrowed_tokens(), 0u);
            EXPECT_EQ(custom.borrowed_tokens(), 1u);
          });
        },
        {.limiter = &custom});
  });
}

// T-THR-03: limiter errors surface: here, that its token was released behind the thread's back.
TEST(ThreadTest, LimiterErrorsSurface) {
  testing::run([] {
    CapacityLimiter none(0);
    EXPECT_FALSE(move_on_after(1ms, [&] { to_thread_run([] {}, {.limiter = &none}); }))
        << "cancelled while it waits for its turn";
    EXPECT_EQ(none.statistics().tasks_waiting, 0u);
    EXPECT_EQ(active_thread_count(), 0u);
  });
}

// Uses up the address space, so that no thread's stack can be had.
[[noreturn]] void run_without_room_for_threads() {
  const auto expect = [](bool condition, int code) {
    if (!condition) std::_Exit(code);
  };
  testing::run([&] {
    CapacityLimiter limiter(1);
    std::ifstream pages("/proc/self/statm");
    rlim_t used = 0;
    pages >> used;
    const rlimit limit{used * 4096 + (1 << 20), RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &limit);
    bool failed = false;
    try {
      to_thread_run([] {}, {.limiter = &limiter});
    } catch (const Error&) {
      failed = true;
    }
    expect(failed, 1);
    expect(limiter.borrowed_tokens() == 0, 2);
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &none);
    expect(to_thread_run([] { return 7; }, {.limiter = &limiter}) == 7, 3);
  });
  std::_Exit(0);
}

// T-THR-04: thread spawn fails: an error, and the tokens are back.
TEST(ThreadDeathTest, AThreadThatCannotBeStartedIsAnError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_without_room_for_threads(), ::testing::ExitedWithCode(0), "");
}

// T-THR-05: a call back into the loop from a worker runs on the loop, in the task that waits for
// the thread, and its value and error come back.
TEST(FromThreadTest, RunsInTheHostTask) {
  testing::run([] {
    const std::thread::id loop_thread = std::this_thread::get_id();
    static TaskLocal<int> mark(0);
    const Task* const host = &Loop::current().current_task();
    to_thread_run([&] {
      EXPECT_EQ(from_thread_run([] { return std::this_thread::get_id(); }), loop_thread);
      EXPECT_EQ(from_thread_run([] { return &Loop::current().current_task(); }), host);
      EXPECT_THROW(from_thread_run([] { throw std::out_of_range("task's"); }), std::out_of_range);
    });
  });
}

// T-THR-05: what it runs may wait, and others run meanwhile; many calls come one after the other.
TEST(FromThreadTest, MayWait) {
  testing::run([] {
    int steps = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (;;) ++steps, checkpoint();
      });
      to_thread_run([] {
        for (int i = 0; i < 3; ++i) from_thread_run([] { sleep(1ms); });
      });
      n.cancel();
    });
    EXPECT_GT(steps, 0);
  });
}

// T-THR-05: it can start tasks of the host's nurseries.
TEST(FromThreadTest, CanStartTasks) {
  testing::run([] {
    bool ran = false;
    open_task_nursery([&](TaskNursery& n) {
      to_thread_run([&] { from_thread_run([&] { n.start_soon([&] { ran = true; }); }); });
    });
    EXPECT_TRUE(ran);
  });
}

// T-THR-05: it sees the host's cancellation at its checkpoints; the thread gets it, lets it pass,
// and the host's scope absorbs it.
TEST(FromThreadTest, SeesTheHostsCancellation) {
  testing::run([] {
    bool passed_through_thread = false;
    const auto done = move_on_after(1ms, [&] {
      to_thread_run([&] {
        try {
          from_thread_run([] { sleep_forever(); });
        } catch (const Cancelled&) {
          passed_through_thread = true;
          throw;
        }
      });
    });
    EXPECT_TRUE(done.cancelled_caught());
    EXPECT_TRUE(passed_through_thread);
  });
}

// T-THR-05: from a thread that may be abandoned it runs in a task of its own.
TEST(FromThreadTest, FromAbandonableThreadsItRunsInATaskOfItsOwn) {
  testing::run([] {
    const Task* const host = &Loop::current().current_task();
    to_thread_run(
        [&] { EXPECT_NE(from_thread_run([] { return &Loop::current().current_task(); }), host); },
        {.abandon_on_cancel = true});
  });
}

// T-THR-05: any other thread calls by token.
TEST(FromThreadTest, AnyThreadCallsByToken) {
  testing::run([] {
    const std::thread::id loop_thread = std::this_thread::get_id();
    Event done;
    std::thread other([&, token = current_token()] {
      EXPECT_EQ(from_thread_run(token, [] { return std::this_thread::get_id(); }), loop_thread);
      EXPECT_THROW(from_thread_run(token, [] { throw std::out_of_range("task's"); }),
                   std::out_of_range);
      from_thread_run(token, [&] {
        sleep(1ms);
        done.set();
      });
    });
    done.wait();
    other.join();
  });
}

// T-THR-06: a worker that asks gets the host's cancellation.
TEST(FromThreadTest, CheckCancelledRaisesWhenTheHostIsCancelled) {
  testing::run([] {
    std::atomic<bool> running{false};
    std::atomic<bool> raised{false};
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        to_thread_run([&] {
          from_thread_check_cancelled();  // not yet
          running = true;
          try {
            for (;; std::this_thread::sleep_for(100us)) from_thread_check_cancelled();
          } catch (const Cancelled&) {
            raised = true;
            throw;
          }
        });
      });
      while (!running) sleep(1ms);
      n.cancel();
    });
    EXPECT_TRUE(raised);
  });
}

// T-THR-06: an abandoned worker that asks gets it, too.
TEST(FromThreadTest, CheckCancelledRaisesInAbandonedThreads) {
  testing::run([] {
    std::atomic<bool> raised{false};
    move_on_after(1ms, [&] {
      to_thread_run(
          [&] {
            try {
              for (;; std::this_thread::sleep_for(100us)) from_thread_check_cancelled();
            } catch (const Cancelled&) {
              raised = true;
              throw;
            }
          },
          {.abandon_on_cancel = true});
    });
    wait_all_threads_completed();
    EXPECT_TRUE(raised);
  });
}

// T-THR-06: in foreign threads, and on the loop, asking is an error.
TEST(FromThreadTest, CheckCancelledInForeignThreadsIsAnError) {
  std::thread([] { EXPECT_THROW(from_thread_check_cancelled(), UsageError); }).join();
  testing::run([] { EXPECT_THROW(from_thread_check_cancelled(), UsageError); });
}

// T-THR-07: a call from the loop's own thread is an error, no deadlock; also from inside of a call.
TEST(FromThreadTest, OnTheLoopItselfIsAnError) {
  testing::run([] {
    EXPECT_THROW(from_thread_run([] {}), UsageError);
    EXPECT_THROW(from_thread_run(current_token(), [] {}), UsageError);
    to_thread_run(
        [] { from_thread_run([] { EXPECT_THROW(from_thread_run([] {}), UsageError); }); });
  });
}

// T-THR-07: a call with no token from a foreign thread is an error.
TEST(FromThreadTest, WithoutATokenIsAnError) {
  std::thread([] { EXPECT_THROW(from_thread_run([] {}), UsageError); }).join();
}

// T-THR-07: a call after the run is an error.
TEST(FromThreadTest, AfterTheRunIsAnError) {
  std::optional<LoopToken> token;
  testing::run([&] { token = current_token(); });
  std::thread([&] { EXPECT_THROW(from_thread_run(*token, [] {}), UsageError); }).join();
}

// T-THR-07: a call in progress while the run ends is an error, no deadlock.
TEST(FromThreadTest, DuringShutdownIsAnError) {
  std::thread other;
  std::atomic<int> errors{0};
  testing::run([&] {
    Event started;
    other = std::thread([&, token = current_token()] {
      try {
        from_thread_run(token, [&] {
          started.set();
          sleep_forever();
        });
      } catch (const Error&) {
        ++errors;
      }
    });
    started.wait();
  });
  other.join();
  EXPECT_EQ(errors, 1);
}

// T-THR-07: threads that call again and again while the run ends all come back.
TEST(FromThreadTest, CallsRacingWithTheEndOfTheRunComeBack) {
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> callers;
    std::atomic<int> calls{0};
    testing::run([&] {
      for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&, token = current_token()] {
          try {
            for (;;) from_thread_run(token, [&] { ++calls; });
          } catch (const Error&) {
          }
        });
      }
      while (calls < 10) checkpoint();
    });
    for (std::thread& caller : callers) caller.join();
  }
}

// T-THR-08: task-locals are copied to the thread, and from there to calls back; changes stay where
// they are made.
TEST(FromThreadTest, TaskLocalsGoToTheThreadAndBack) {
  testing::run([] {
    static TaskLocal<std::string> local("initial");
    EXPECT_EQ(to_thread_run([] { return local.get(); }), "initial");
    local.set("host's");
    to_thread_run([] {
      EXPECT_EQ(local.get(), "host's");
      local.set("thread's");
      EXPECT_EQ(local.get(), "thread's");
      from_thread_run([] {
        EXPECT_EQ(local.get(), "thread's");
        local.set("call's");
      });
      EXPECT_EQ(local.get(), "thread's");
    });
    EXPECT_EQ(local.get(), "host's");
    EXPECT_EQ(to_thread_run([] { return local.get(); }), "host's") << "nothing is left behind";
  });
}

// T-THR-09: wait-all-threads-completed returns when none is left.
TEST(ThreadTest, WaitAllThreadsCompleted) {
  testing::run([] {
    wait_all_threads_completed();
    std::binary_semaphore go{0};
    const auto abandon_one = [&] {
      CancelScope scope({.deadline = current_time() + 50ms});
      scope.run([&] { to_thread_run([&] { go.acquire(); }, {.abandon_on_cancel = true}); });
    };
    abandon_one();
    abandon_one();
    EXPECT_EQ(active_thread_count(), 2u);
    bool returned = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        wait_all_threads_completed();
        returned = true;
      });
      go.release();
      while (active_thread_count() > 1) sleep(1ms);
      checkpoint();
      EXPECT_FALSE(returned);
      go.release();
    });
    EXPECT_EQ(active_thread_count(), 0u);
  });
}

// A thread may outlive the run that abandoned it.
TEST(ThreadTest, AnAbandonedThreadMayOutliveTheRun) {
  const auto go = std::make_shared<std::binary_semaphore>(0);
  const auto ended = std::make_shared<std::binary_semaphore>(0);
  testing::run([&] {
    move_on_after(1ms, [&] {
      to_thread_run(
          [go, ended] {
            go->acquire();
            EXPECT_THROW(from_thread_run([] {}), UsageError);
            ended->release();
          },
          {.abandon_on_cancel = true});
    });
  });
  go->release();
  ended->acquire();
}

}  // namespace
}  // namespace troupe

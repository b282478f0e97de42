// SPDX-License-Identifier: Apache-2.0

// C++ keeps the state of exceptions per thread. These tests show that a task has one of its own.

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/scheduler.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

// Two tasks wait inside of their handlers and leave them in the order in which they entered them
// (not last in, first out); each rethrows what it has caught. Returns what came out of each.
std::vector<std::string> rethrow_out_of_order() {
  std::vector<std::string> caught(2);
  run_tasks([&] {
    Event first_may_go;
    Event second_may_go;
    const auto wait_in_handler = [](Event& turn, const std::string& text) {
      try {
        throw std::runtime_error(text);
      } catch (const std::runtime_error&) {
        turn.wait();
        throw;
      }
    };
    const auto record = [&](int who, Event& turn, const std::string& text) {
      try {
        wait_in_handler(turn, text);
      } catch (const std::runtime_error& error) {
        caught[who] = error.what();
      }
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("first", [&] { record(0, first_may_go, "first's"); });
      n.start_soon("second", [&] { record(1, second_may_go, "second's"); });
      n.start_soon("conductor", [&] {
        checkpoint();
        first_may_go.set();
        checkpoint();
        second_may_go.set();
      });
    });
  });
  return caught;
}

// T-NUR-24: given exceptions in flight in two tasks that switch, each task's current-exception
// state is its own.
TEST(ExceptionStateTest, TasksThatWaitInHandlersRethrowTheirOwn) {
  EXPECT_EQ(rethrow_out_of_order(), (std::vector<std::string>{"first's", "second's"}));
}

// Exits with 42 when the tasks got each other's exceptions, with 0 when they did not.
void run_without_swap() {
  Scheduler::of_this_thread().set_swap_exception_state(false);
  const std::vector<std::string> own{"first's", "second's"};
  std::_Exit(rethrow_out_of_order() == own ? 0 : 42);
}

bool crashed_or_mixed(int status) { return !WIFEXITED(status) || WEXITSTATUS(status) == 42; }

// The test above can fail: without the swap, the tasks get each other's exceptions, or crash.
TEST(ExceptionStateDeathTest, WithoutTheSwapTheyGetEachOthers) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_without_swap(), crashed_or_mixed, "");
}

// T-NUR-24: the count of exceptions in flight is a task's own, too: a destructor that waits while
// one unwinds must not make another task believe that it unwinds.
TEST(ExceptionStateTest, UncaughtExceptionsAreCountedPerTask) {
  int seen_by_other = -1;
  run_tasks([&] {
    Event unwinding;
    Event done;
    struct WaitsInDestructor {
      Event& unwinding;
      Event& done;
      ~WaitsInDestructor() {
        unwinding.set();
        CancelScope shield({.shield = true});
        shield.run([&] { done.wait(); });
      }
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        try {
          WaitsInDestructor waits{unwinding, done};
          throw std::runtime_error("unwinds");
        } catch (const std::runtime_error&) {
        }
      });
      n.start_soon([&] {
        unwinding.wait();
        seen_by_other = std::uncaught_exceptions();
        done.set();
      });
    });
  });
  EXPECT_EQ(seen_by_other, 0);
}

}  // namespace
}  // namespace troupe

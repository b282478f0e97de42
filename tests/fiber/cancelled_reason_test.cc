// SPDX-License-Identifier: Apache-2.0

// What a cancellation says about itself, and what is said about tasks that swallow it.

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/system_task.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::LogCatcher;
using testing::run_with_seeds;

// Runs `fn` and returns the reason of the Cancelled that it raises, which goes on.
template <class Fn>
void with_reason(CancelReason& reason, Fn&& fn) {
  try {
    fn();
  } catch (const Cancelled& cancelled) {
    reason = cancelled.reason();
    throw;
  }
}

// T-CAN-18: given cancel with a reason, then cancelled carries source (explicit, deadline, nursery,
// shutdown, interrupt), reason text and source task; the first reason is kept.
TEST(CancelReasonTest, OfACallHasTextAndTask) {
  run_with_seeds([] {
    CancelReason reason;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { with_reason(reason, [] { sleep_forever(); }); }); });
      n.start_soon("canceller", [&] {
        checkpoint();
        scope.cancel("had enough");
        scope.cancel("another one");
      });
    });
    EXPECT_EQ(reason.source, CancelSource::explicit_call);
    EXPECT_EQ(reason.text, "had enough");
    EXPECT_EQ(reason.task, "canceller");
  });
}

TEST(CancelReasonTest, OfADeadline) {
  run_tasks([] {
    CancelReason reason;
    move_on_after(1ms, [&] { with_reason(reason, [] { sleep_forever(); }); });
    EXPECT_EQ(reason.source, CancelSource::deadline);
    move_on_after(0ms, [&] { with_reason(reason, [] { checkpoint(); }); });
    EXPECT_EQ(reason.source, CancelSource::deadline);
  });
}

TEST(CancelReasonTest, OfASiblingsErrorNamesItAndItsError) {
  run_with_seeds([] {
    CancelReason reason;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon([&] { with_reason(reason, [] { sleep_forever(); }); });
                   n.start_soon("failing", [] {
                     checkpoint();
                     throw std::out_of_range("the cause");
                   });
                 }),
                 std::out_of_range);
    EXPECT_EQ(reason.source, CancelSource::nursery);
    EXPECT_EQ(reason.task, "failing");
    EXPECT_NE(reason.text.find("the cause"), std::string::npos) << reason.text;
  });
}

TEST(CancelReasonTest, OfTheBodysError) {
  run_with_seeds([] {
    CancelReason reason;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon([&] { with_reason(reason, [] { sleep_forever(); }); });
                   checkpoint();
                   throw std::out_of_range("the cause");
                 }),
                 std::out_of_range);
    EXPECT_EQ(reason.source, CancelSource::nursery);
    EXPECT_EQ(reason.task, "main");
    EXPECT_NE(reason.text.find("body"), std::string::npos) << reason.text;
  });
}

TEST(CancelReasonTest, OfTheRunsEnd) {
  CancelReason reason;
  run_tasks([&] {
    start_system_task("system", [&] { with_reason(reason, [] { sleep_forever(); }); });
    checkpoint();
  });
  EXPECT_EQ(reason.source, CancelSource::shutdown);
}

TEST(CancelReasonTest, TheOutermostCancelledScopesCounts) {
  run_tasks([] {
    CancelReason reason;
    CancelScope outer;
    CancelScope inner;
    outer.run([&] {
      inner.run([&] {
        inner.cancel("inner's");
        outer.cancel("outer's");
        with_reason(reason, [] { checkpoint(); });
      });
    });
    EXPECT_EQ(reason.text, "outer's");
  });
}

TEST(CancelReasonTest, IsReadableFromTheScope) {
  run_tasks([] {
    CancelScope scope;
    EXPECT_EQ(scope.reason(), nullptr);
    scope.cancel("words");
    ASSERT_NE(scope.reason(), nullptr);
    EXPECT_EQ(scope.reason()->text, "words");
    EXPECT_EQ(scope.reason()->task, "main");
  });
}

TEST(CancelReasonTest, SourcesHaveNames) {
  EXPECT_STREQ(to_string(CancelSource::explicit_call), "explicit");
  EXPECT_STREQ(to_string(CancelSource::deadline), "deadline");
  EXPECT_STREQ(to_string(CancelSource::nursery), "nursery");
  EXPECT_STREQ(to_string(CancelSource::shutdown), "shutdown");
  EXPECT_STREQ(to_string(CancelSource::interrupt), "interrupt");
}

// A task that swallows Cancelled is reported by name, once for each, and gets it again.
TEST(SwallowedTest, IsReportedByName) {
  run_with_seeds([] {
    LogCatcher log;
    int swallowed = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("glutton", [&] {
        for (int i = 0; i < 3; ++i) {
          try {
            sleep_forever();
          } catch (...) {
            ++swallowed;
          }
        }
      });
      checkpoint();
      n.cancel();
    });
    EXPECT_EQ(swallowed, 3);
    EXPECT_EQ(log.count("task 'glutton' swallowed Cancelled"), 3);
  });
}

TEST(SwallowedTest, IsNotReportedWhenAllWentWell) {
  run_with_seeds([] {
    LogCatcher log;
    open_task_nursery([](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([] {
          open_task_nursery([](TaskNursery& inner) {
            inner.start_soon([] { sleep_forever(); });
            try {
              sleep_forever();
            } catch (...) {
              throw;
            }
          });
        });
      }
      checkpoint();
      n.cancel();
      sleep_forever();
    });
    move_on_after(1ms, [] { sleep_forever(); });
    try {
      open_task_nursery([](TaskNursery& n) {
        n.start_soon([] { throw std::out_of_range("error"); });
        sleep_forever();
      });
    } catch (const std::out_of_range&) {
    }
    EXPECT_TRUE(log.texts().empty()) << log.texts().front();
  });
}

TEST(SwallowedTest, IsNotReportedWhenAnErrorReplacesIt) {
  run_with_seeds([] {
    LogCatcher log;
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.start_soon([] {
                     try {
                       sleep_forever();
                     } catch (const Cancelled&) {
                       throw std::out_of_range("cleanup failed");
                     }
                   });
                   checkpoint();
                   n.cancel();
                 }),
                 std::out_of_range);
    EXPECT_TRUE(log.texts().empty()) << log.texts().front();
  });
}

TEST(SwallowedTest, IsNotReportedWhenItIsKeptAndRethrown) {
  run_tasks([] {
    LogCatcher log;
    CancelScope scope;
    scope.run([&] {
      scope.cancel();
      std::exception_ptr kept;
      try {
        checkpoint();
      } catch (...) {
        kept = std::current_exception();
      }
      std::rethrow_exception(kept);
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_TRUE(log.texts().empty()) << log.texts().front();
  });
}

// The report must not be missed because another task has an exception in flight.
TEST(SwallowedTest, IsReportedWhileAnotherTaskUnwinds) {
  run_tasks([] {
    LogCatcher log;
    struct WaitsInDestructor {
      ~WaitsInDestructor() {
        for (int i = 0; i < 5; ++i) cancel_shielded_checkpoint();
      }
    };
    open_task_nursery([](TaskNursery& n) {
      n.start_soon([] {
        try {
          const WaitsInDestructor waits;
          throw std::runtime_error("unwinds");
        } catch (const std::runtime_error&) {
        }
      });
      n.start_soon("glutton", [] {
        try {
          checkpoint();
          sleep_forever();
        } catch (...) {
        }
      });
      checkpoint();
      n.cancel();
    });
    EXPECT_EQ(log.count("task 'glutton' swallowed Cancelled"), 1);
  });
}

// T-NUR-19: given a task name given, or not, then it shows.
TEST(TaskNameTest, ShowsAsGivenOrAsTheClosuresType) {
  run_tasks([] {
    struct Worker {
      void operator()() const {
        EXPECT_NE(Loop::current().running_task_name().find("Worker"), std::string::npos)
            << Loop::current().running_task_name();
      }
    };
    open_task_nursery([](TaskNursery& n) {
      n.start_soon("a name", [] { EXPECT_EQ(Loop::current().running_task_name(), "a name"); });
      n.start_soon(Worker{});
      EXPECT_EQ(Loop::current().running_task_name(), "main");
    });
  });
}

}  // namespace
}  // namespace troupe

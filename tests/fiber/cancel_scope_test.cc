// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/cancel_scope.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::LogCatcher;
using testing::run_with_seeds;

// Whether `fn` raises Cancelled; for use inside of cancelled scopes.
template <class Fn>
bool raises(Fn&& fn) {
  LogCatcher quiet;  // it swallows Cancelled, which is reported
  try {
    fn();
  } catch (const Cancelled&) {
    return true;
  }
  return false;
}

// T-CAN-01: given a scope cancelled before a blocking call, then the call raises cancelled and did
// not happen.
TEST(CancelScopeTest, ACallInACancelledScopeDoesNotHappen) {
  run_with_seeds([] {
    Event event;
    CancelScope scope;
    scope.run([&] {
      scope.cancel();
      EXPECT_TRUE(raises([&] { event.wait(); }));
      EXPECT_EQ(event.statistics().tasks_waiting, 0u);
      event.set();
      EXPECT_TRUE(raises([&] { event.wait(); })) << "a checkpoint even when it is set";
      EXPECT_TRUE(raises([] { sleep(1h); }));
      EXPECT_TRUE(raises([] { sleep(0s); }));
      EXPECT_TRUE(raises([] { sleep_until(TimePoint::min()); }));
    });
    EXPECT_EQ(Loop::current().deadlines().size(), 0u);
  });
}

// T-CAN-02: given cancel twice, then idempotent; given a second blocking call in the cancelled
// scope, then it raises again (level-triggered).
TEST(CancelScopeTest, CancellationIsLevelTriggered) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      scope.cancel("first");
      scope.cancel("second");
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(raises([] { checkpoint(); }));
    });
    EXPECT_EQ(scope.reason()->text, "first");
    checkpoint();  // and not beyond the scope
  });
}

// T-CAN-03: given a checkpoint-if-cancelled, a full checkpoint and a shielded one, then they check
// cancel only, both, schedule only.
TEST(CheckpointTest, TheThreeKinds) {
  run_with_seeds([] {
    int other = 0;
    const auto others_ran = [&](auto&& fn) {
      const int before = other;
      fn();
      return other > before;
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (;;) {
          ++other;
          checkpoint();
        }
      });
      EXPECT_FALSE(others_ran([] { checkpoint_if_cancelled(); }));
      EXPECT_TRUE(others_ran([] { checkpoint(); }));
      EXPECT_TRUE(others_ran([] { cancel_shielded_checkpoint(); }));
      CancelScope scope;
      scope.run([&] {
        scope.cancel();
        EXPECT_TRUE(raises([] { checkpoint_if_cancelled(); }));
        EXPECT_TRUE(raises([] { checkpoint(); }));
        EXPECT_TRUE(others_ran([] { cancel_shielded_checkpoint(); }));
      });
      n.cancel();
    });
  });
}

// T-CAN-04: given a cancelled scope that never hit a checkpoint, then cancel-called is true and
// cancelled-caught false.
TEST(CancelScopeTest, CancelledButNotCaught) {
  run_tasks([] {
    CancelScope scope;
    const auto result = scope.run([&] {
      scope.cancel();
      return 3;
    });
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 3);
  });
}

// T-CAN-05: given outer and inner both cancelled, then the outermost cancelled one catches.
TEST(CancelScopeTest, TheOutermostCancelledOneCatches) {
  for (const bool inner_first : {false, true}) {
    run_tasks([inner_first] {
      CancelScope outer;
      CancelScope middle;
      CancelScope inner;
      outer.run([&] {
        middle.run([&] {
          inner.run([&] {
            (inner_first ? inner : outer).cancel();
            (inner_first ? outer : inner).cancel();
            checkpoint();
          });
          ADD_FAILURE() << "the inner one has caught it";
        });
      });
      EXPECT_TRUE(outer.cancelled_caught());
      EXPECT_FALSE(middle.cancelled_caught());
      EXPECT_FALSE(inner.cancelled_caught());
      EXPECT_FALSE(middle.cancel_called());
    });
  }
}

// T-CAN-09: given a nested tree of nurseries, then a cancel reaches all leaves at once.
TEST(CancelScopeTest, ACancelReachesAllLeavesOfATree) {
  run_with_seeds([] {
    int leaves = 0;
    const std::function<void(int)> grow = [&](int depth) {
      if (depth == 0) {
        try {
          sleep_forever();
        } catch (const Cancelled&) {
          ++leaves;
          throw;
        }
      }
      open_task_nursery([&](TaskNursery& n) {
        for (int i = 0; i < 3; ++i) n.start_soon([&grow, depth] { grow(depth - 1); });
      });
    };
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { grow(4); }); });
      for (int i = 0; i < 10; ++i) checkpoint();
      scope.cancel();
      for (int i = 0; i < 2; ++i) checkpoint();
      EXPECT_EQ(leaves, 81);
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// T-CAN-10: given a scope not yet entered, then it can be cancelled, shielded, given a deadline
// beforehand; it can be entered once only, not re-entered, not by two tasks.
TEST(CancelScopeTest, CanBeCancelledBeforeEntry) {
  CancelScope scope;
  scope.cancel("early");
  EXPECT_TRUE(scope.cancel_called());
  run_tasks([&] {
    scope.run([] {
      checkpoint();
      ADD_FAILURE();
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(CancelScopeTest, CanBeShieldedAndGivenADeadlineBeforeEntry) {
  run_tasks([] {
    CancelScope outer;
    outer.run([&] {
      outer.cancel();
      CancelScope scope;
      scope.set_shield(true);
      EXPECT_TRUE(scope.shield());
      scope.set_deadline(current_time() + 1ms);
      scope.run([] { sleep_forever(); });
      EXPECT_TRUE(scope.cancelled_caught());
      EXPECT_EQ(scope.reason()->source, CancelSource::deadline);
    });
  });
}

TEST(CancelScopeTest, CanBeEnteredOnce) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] { EXPECT_THROW(scope.run([] {}), UsageError); });
    EXPECT_THROW(scope.run([] {}), UsageError);
    CancelScope shared;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { shared.run([] { checkpoint(); }); });
      checkpoint();
      EXPECT_THROW(shared.run([] {}), UsageError);
    });
    checkpoint();
  });
}

// T-CAN-11: given a deadline passed on an unentered scope, then cancel-called reads true, and never
// un-cancels.
TEST(CancelScopeTest, APassedDeadlineCancelsAnUnenteredScope) {
  run_tasks([] {
    CancelScope scope({.deadline = current_time() - 1s});
    EXPECT_TRUE(scope.cancel_called());
    scope.set_deadline(never);
    EXPECT_TRUE(scope.cancel_called());
    scope.run([] {
      checkpoint();
      ADD_FAILURE();
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// T-CAN-16: given thousands of scopes nested or duplicates of deadlines, then no recursion or cost
// blow-up.
void nest(int depth, CancelScope& outermost) {
  CancelScope scope({.deadline = current_time() + 1h});
  scope.run([&] {
    if (depth > 0) return nest(depth - 1, outermost);
    EXPECT_FALSE(Loop::current().current_task().scope->effectively_cancelled());
    outermost.cancel();
    EXPECT_TRUE(Loop::current().current_task().scope->effectively_cancelled());
    checkpoint();
  });
}

TEST(ManyScopesTest, AThousandNestedOnesInOneTask) {
  FiberOptions options;
  options.stack_size = 4 << 20;
  run_tasks(
      [] {
        CancelScope outermost;
        outermost.run([&] { nest(1000, outermost); });
        EXPECT_TRUE(outermost.cancelled_caught());
        EXPECT_EQ(Loop::current().deadlines().size(), 0u);
      },
      options);
}

// Each task waits for the next one, inside of a scope of its own.
void chain(int length) {
  open_task_nursery([length](TaskNursery& n) {
    n.start_soon([length] {
      if (length > 0) return chain(length - 1);
      sleep_forever();
    });
  });
}

TEST(ManyScopesTest, ThousandsNestedAcrossTasks) {
  run_with_seeds([] {
    CancelScope scope({.deadline = current_time() + 5ms});
    scope.run([] { chain(3000); });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// T-CAN-25: given a scope's status text, then it tells unbound, active, cancelled, exited and the
// deadline.
TEST(StatusTextTest, TellsTheState) {
  run_tasks([] {
    CancelScope scope({.deadline = current_time() + 1h});
    EXPECT_EQ(scope.status_text().rfind("unbound, deadline in 3", 0), 0u) << scope.status_text();
    scope.run([&] {
      EXPECT_EQ(scope.status_text().rfind("active, deadline in 3", 0), 0u) << scope.status_text();
      scope.set_deadline(never);
      EXPECT_EQ(scope.status_text(), "active");
      scope.cancel();
      EXPECT_EQ(scope.status_text(), "active, cancelled");
    });
    EXPECT_EQ(scope.status_text(), "exited, cancelled");
    CancelScope past({.deadline = current_time() - 1s});
    EXPECT_EQ(past.status_text().rfind("unbound, cancelled, deadline passed", 0), 0u)
        << past.status_text();
    CancelScope longest({.deadline = TimePoint::min()});
    EXPECT_NE(longest.status_text().find("passed"), std::string::npos);
  });
  EXPECT_EQ(CancelScope({.relative_deadline = 2s}).status_text().rfind("unbound, deadline 2.0", 0),
            0u);
}

// T-CAN-26: given cancelled caught by a catch-all for ordinary errors, then it is not caught (it is
// outside the ordinary error hierarchy).
TEST(CancelScopeTest, HandlersOfErrorsLetCancelledPass) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      scope.cancel();
      try {
        checkpoint();
      } catch (const std::exception&) {
        ADD_FAILURE() << "Cancelled is a std::exception";
      }
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(CancelScopeTest, ErrorsPassACancelledScope) {
  run_tasks([] {
    CancelScope scope;
    EXPECT_THROW(scope.run([&] {
      scope.cancel();
      throw std::out_of_range("ordinary");
    }),
                 std::out_of_range);
    EXPECT_FALSE(scope.cancelled_caught());
    checkpoint();
  });
}

TEST(CancelScopeTest, BodiesTakeTheScopeOrNothingAndReturnAnything) {
  run_tasks([] {
    CancelScope a;
    EXPECT_EQ(*a.run([](CancelScope& scope) { return scope.deadline(); }), never);
    CancelScope b;
    EXPECT_EQ(**b.run([] { return std::make_unique<int>(1); }), 1);
    CancelScope c;
    static int target = 5;
    EXPECT_EQ(*c.run([]() -> int& { return target; }), 5);
    CancelScope d;
    auto move_only = [value = std::make_unique<int>(6)] { return *value; };
    EXPECT_EQ(*d.run(std::move(move_only)), 6);
  });
}

TEST(CancelScopeTest, ADeliveredOutcomeIsNotLost) {
  run_with_seeds([] {
    bool got = false;
    Event event;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          event.wait();
          got = true;
          checkpoint();
          ADD_FAILURE() << "the cancellation was lost";
        });
      });
      checkpoint();
      event.set();
      scope.cancel();
    });
    EXPECT_TRUE(got);
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(CancelScopeTest, CancellingFromAThreadWithoutLoopIsAUsageError) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      std::thread([&] { EXPECT_THROW(scope.cancel(), UsageError); }).join();
      checkpoint();
    });
  });
}

// T-NUR-23: given a broken invariant in the scheduler, then a clear internal error.
TEST(InvariantDeathTest, WakingATaskThatDoesNotWaitAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_tasks([] { Loop::current().wake(Loop::current().current_task()); }),
               "internal error: fiber: a task was woken that does not wait .running: 'main'.");
}

}  // namespace
}  // namespace troupe

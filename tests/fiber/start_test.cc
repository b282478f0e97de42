// SPDX-License-Identifier: Apache-2.0

// TaskNursery::start: a task that says when it is ready.

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// T-NUR-10: given `start`, then it returns at "started" with its value; the child then belongs to
// the nursery; before that, not.
TEST(StartTest, ReturnsTheStartedValue) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      const int port = n.start<int>([&n](TaskStatus<int>& status) {
        checkpoint();
        EXPECT_EQ(n.child_count(), 0u);
        status.started(8080);
        EXPECT_EQ(n.child_count(), 1u);
        sleep_forever();
      });
      EXPECT_EQ(port, 8080);
      EXPECT_EQ(n.child_count(), 1u);
      n.cancel();
    });
  });
}

TEST(StartTest, WorksWithoutAValueAndWithMoveOnlyOnes) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      n.start([](TaskStatus<void>& status) { status.started(); });
      const auto value =
          n.start<std::unique_ptr<int>>("named", [](TaskStatus<std::unique_ptr<int>>& status) {
            EXPECT_EQ(Loop::current().running_task_name(), "named");
            status.started(std::make_unique<int>(3));
          });
      EXPECT_EQ(*value, 3);
    });
  });
}

TEST(StartTest, AnErrorAfterStartedIsTheNurserys) {
  run_with_seeds([] {
    bool start_returned = false;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start([](TaskStatus<void>& status) {
                     status.started();
                     throw std::out_of_range("later");
                   });
                   start_returned = true;
                   sleep_forever();
                 }),
                 std::out_of_range);
    EXPECT_TRUE(start_returned);
  });
}

// T-NUR-11: given started called twice, a child error before started, a clean exit without started,
// then respectively error in child, error out of start (unwrapped), start-protocol error.
TEST(StartTest, StartedTwiceIsAnErrorInTheChild) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      n.start([](TaskStatus<void>& status) {
        status.started();
        EXPECT_THROW(status.started(), UsageError);
      });
      n.start<int>([](TaskStatus<int>& status) {
        TaskStatus<int> copy = status;
        status.started(1);
        EXPECT_THROW(copy.started(2), UsageError);
      });
    });
  });
}

TEST(StartTest, AnErrorBeforeStartedComesOutOfStart) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      EXPECT_THROW(n.start([](TaskStatus<void>&) {
        checkpoint();
        throw std::out_of_range("before");
      }),
                   std::out_of_range);
      EXPECT_FALSE(n.cancel_called());
      checkpoint();
    });
  });
}

TEST(StartTest, EndingWithoutStartedIsAUsageError) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      EXPECT_THROW(n.start([](TaskStatus<void>&) { checkpoint(); }), UsageError);
      EXPECT_THROW(n.start<int>([](TaskStatus<int>&) {}), UsageError);
      checkpoint();
    });
  });
}

// T-NUR-12: given start called within a cancelled scope and the child does checkpoint, then start
// raises cancelled and the started value is ignored; if the child never checkpoints, then start
// succeeds.
TEST(StartTest, InACancelledScopeAChildThatWaitsIsCancelled) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      CancelScope scope;
      scope.run([&] {
        scope.cancel();
        EXPECT_THROW(n.start<int>([](TaskStatus<int>& status) {
          status.started(1);
          checkpoint();
          ADD_FAILURE() << "not cancelled";
        }),
                     Cancelled);
        checkpoint();
      });
      EXPECT_TRUE(scope.cancelled_caught());
      EXPECT_EQ(n.child_count(), 0u);
    });
  });
}

TEST(StartTest, InACancelledScopeAChildThatNeverWaitsSucceeds) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      CancelScope scope;
      const auto done = scope.run([&] {
        scope.cancel();
        EXPECT_EQ(n.start<int>([](TaskStatus<int>& status) { status.started(4); }), 4);
      });
      EXPECT_TRUE(done);
    });
  });
}

TEST(StartTest, InACancelledScopeAnErrorAfterStartedComesOutOfStart) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      CancelScope scope;
      scope.run([&] {
        scope.cancel();
        EXPECT_THROW(n.start([](TaskStatus<void>& status) {
          status.started();
          throw std::out_of_range("whoopsiedaisy");
        }),
                     std::out_of_range);
      });
    });
  });
}

TEST(StartTest, CancellingTheStarterBeforeStartedCancelsTheChild) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      const auto done = move_on_after(1ms, [&] {
        n.start([](TaskStatus<void>& status) {
          sleep_forever();
          status.started();
        });
      });
      EXPECT_FALSE(done);
      EXPECT_EQ(n.child_count(), 0u);
    });
  });
}

TEST(StartTest, CancellingTheStarterAfterStartedDoesNotTouchTheChild) {
  run_with_seeds([] {
    bool child_ended = false;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      const auto done = scope.run([&] {
        // The outcome has arrived when the cancellation comes, so it is delivered.
        EXPECT_EQ(n.start<int>([&](TaskStatus<int>& status) {
          status.started(1);
          scope.cancel();
          checkpoint();
          child_ended = true;
        }),
                  1);
      });
      EXPECT_TRUE(done);
    });
    EXPECT_TRUE(child_ended);
  });
}

// T-NUR-13: given pending starts, then the nursery stays open for them though it has no tasks; if
// the child crashes before started, then the nursery just ends.
TEST(StartTest, APendingStartKeepsTheNurseryOpen) {
  run_with_seeds([] {
    bool child_ran_in_target = false;
    Event target_body_ended;
    open_task_nursery([&](TaskNursery& outer) {
      open_task_nursery([&](TaskNursery& target) {
        outer.start_soon([&] {
          target.start([&](TaskStatus<void>& status) {
            target_body_ended.wait();
            checkpoint();
            status.started();
            checkpoint();
            child_ran_in_target = true;
          });
        });
        while (Loop::current().task_count() < 4) checkpoint();  // main, entry, starter, child
        target_body_ended.set();
      });
      EXPECT_TRUE(child_ran_in_target);
    });
  });
}

TEST(StartTest, AStartThatFailsLetsTheNurseryEnd) {
  run_with_seeds([] {
    Event target_body_ended;
    open_task_nursery([&](TaskNursery& outer) {
      open_task_nursery([&](TaskNursery& target) {
        outer.start_soon([&] {
          EXPECT_THROW(target.start([&](TaskStatus<void>&) {
            target_body_ended.wait();
            throw std::out_of_range("before");
          }),
                       std::out_of_range);
        });
        while (Loop::current().task_count() < 4) checkpoint();
        target_body_ended.set();
      });
    });
  });
}

TEST(StartTest, TheChildKeepsItsScopesWhenItMoves) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      CancelScope* inner = nullptr;
      CancelScope starters;
      bool absorbed = false;
      starters.run([&] {
        n.start([&](TaskStatus<void>& status) {
          CancelScope scope;
          inner = &scope;
          scope.run([&] {
            open_task_nursery([&](TaskNursery& own) {
              own.start_soon([] { sleep_forever(); });
              status.started();
              sleep_forever();
            });
          });
          absorbed = scope.cancelled_caught();
        });
      });
      starters.cancel();  // no more its business
      checkpoint();
      inner->cancel();
      n.wait_all();
      EXPECT_TRUE(absorbed);
    });
  });
}

TEST(StartTest, TheChildIsCancelledWithItsNewNursery) {
  run_with_seeds([] {
    bool cancelled = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start([&](TaskStatus<void>& status) {
        CancelScope scope;
        scope.run([&] {
          n.cancel();
          status.started();
          try {
            checkpoint();
          } catch (const Cancelled&) {
            cancelled = true;
            throw;
          }
        });
        ADD_FAILURE() << "the child's own scope has absorbed its nursery's cancellation";
      });
    });
    EXPECT_TRUE(cancelled);
  });
}

TEST(StartTest, AStatusThatOutlivesItsTaskIsSafe) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      std::optional<TaskStatus<int>> kept;
      EXPECT_THROW(n.start<int>([&](TaskStatus<int>& status) { kept = std::move(status); }),
                   UsageError);
      EXPECT_THROW(kept->started(1), UsageError);
      kept.reset();
      n.start<int>([&](TaskStatus<int>& status) {
        kept = status;
        status.started(2);
      });
      n.wait_all();
      EXPECT_THROW(kept->started(3), UsageError);
    });
  });
}

TEST(StartTest, AnotherTaskMaySayStarted) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      const int value = n.start<int>([](TaskStatus<int>& status) {
        open_task_nursery([&](TaskNursery& own) {
          own.start_soon([status]() mutable {
            checkpoint();
            status.started(9);
          });
        });
      });
      EXPECT_EQ(value, 9);
    });
  });
}

TEST(StartTest, ManyStartsIntoOneNurseryCostLinearTime) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      for (int i = 0; i < 10'000; ++i) {
        n.start([](TaskStatus<void>& status) {
          CancelScope scope;
          scope.run([&] {
            status.started();
            sleep_forever();
          });
        });
      }
      EXPECT_EQ(n.child_count(), 10'000u);
      n.cancel();
    });
  });
}

}  // namespace
}  // namespace troupe

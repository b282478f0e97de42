// SPDX-License-Identifier: Apache-2.0

// Nurseries, `start` and cancellation in the combinations in which errors got lost elsewhere.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

struct ChildError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// TRI-01: given a nursery stashed for others, when a child started in it by `start` errors, then
// the error reaches the parent.
TEST(StructuredConcurrencyTest, AnErrorInAStashedNurseryReachesItsParent) {
  testing::run_with_seeds([] {
    TaskNursery* stash = nullptr;
    Event stashed;
    const auto parent = [&] {
      EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                     stash = &n;
                     stashed.set();
                     sleep_forever();
                   }),
                   ChildError);
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("parent", parent);
      n.start_soon("user of the stash", [&] {
        stashed.wait();
        const int value = stash->start<int>([](TaskStatus<int>& status) {
          status.started(7);
          checkpoint();
          throw ChildError("after started");
        });
        EXPECT_EQ(value, 7);
      });
    });
  });
}

// TRI-01: before it has called `started` the child's error is its caller's.
TEST(StructuredConcurrencyTest, AnErrorBeforeStartedIsTheCallers) {
  testing::run_with_seeds([] {
    open_task_nursery([&](TaskNursery& stash) {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          EXPECT_THROW(stash.start<int>([](TaskStatus<int>&) { throw ChildError("not ready"); }),
                       ChildError);
        });
      });
    });
  });
}

// A manager that runs `body` in a nursery and, whatever happens, cancels that and waits a bit.
template <class Body>
void with_embedded_nursery(Body body) {
  open_task_nursery([&](TaskNursery& n) {
    n.start_soon([] { sleep_forever(); });
    const auto finally = [&n] {
      n.cancel();
      CancelScope cleanup({.shield = true});  // so that what it waits for cannot replace an error
      cleanup.run([] { checkpoint(); });
    };
    try {
      body();
    } catch (...) {
      finally();
      throw;
    } finally();
  });
}

// TRI-02: given a manager whose finally cancels its nursery and checkpoints, when the body raises,
// then the body's error is still delivered.
TEST(StructuredConcurrencyTest, TheErrorOfTheBodySurvivesACancellingFinally) {
  testing::run_with_seeds([] {
    EXPECT_THROW(with_embedded_nursery([] { throw ChildError("the body's"); }), ChildError);
    with_embedded_nursery([] {});
  });
}

// TRI-04: given a child error masked by a cancelled raised in an implicit close, then the child's
// error leaves: no helper is needed for that.
TEST(StructuredConcurrencyTest, ACancelledCloseDoesNotMaskTheErrorOfAChild) {
  testing::run_with_seeds([] {
    const auto body = [](TaskNursery& n) {
      n.start_soon([] { throw ChildError("the cause"); });
      try {
        sleep_forever();
      } catch (const Cancelled&) {
        checkpoint();  // closing waits, and raises another Cancelled
        throw;
      }
    };
    EXPECT_THROW(open_task_nursery(body), ChildError);
  });
}

// TRI-05: given a cancelled lock acquire in a context, then it is not wrongly "unmasked": nothing
// but the cancellation leaves.
TEST(StructuredConcurrencyTest, ACancelledAcquireIsACancellation) {
  testing::run_with_seeds([] {
    Lock lock;
    CancelScope scope;
    lock.acquire();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          try {
            throw ChildError("handled long ago");
          } catch (const ChildError&) {
            lock.acquire();  // inside of a handler: there is an error about
          }
        });
      });
      wait_all_tasks_blocked();
      scope.cancel();
    });
    EXPECT_TRUE(scope.cancelled_caught());
    lock.release();
  });
}

// TRI-09: given a sibling's error cancels the nursery during `start`, when the child absorbs it and
// returns, then the caller sees cancelled, and only the sibling's error leaves.
TEST(StructuredConcurrencyTest, ASiblingsErrorDuringStartIsNotMasked) {
  const testing::LogCatcher reports;  // of tasks that swallow Cancelled
  testing::run_with_seeds([] {
    bool caller_cancelled = false;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon([] {
                     checkpoint();
                     throw ChildError("the sibling's");
                   });
                   try {
                     n.start<int>([](TaskStatus<int>&) {
                       try {
                         sleep_forever();
                       } catch (const Cancelled&) {
                         return;  // absorbs it, against the rules
                       }
                     });
                   } catch (const Cancelled&) {
                     caller_cancelled = true;
                     throw;
                   }
                 }),
                 ChildError);
    EXPECT_TRUE(caller_cancelled);
  });
}

// TRI-10: given a pure outer cancel in that situation, then the scope exits clean.
TEST(StructuredConcurrencyTest, AnOuterCancelDuringStartExitsClean) {
  const testing::LogCatcher reports;  // of tasks that swallow Cancelled
  testing::run_with_seeds([] {
    CancelScope scope;
    scope.run([&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          checkpoint();
          scope.cancel();
        });
        n.start<int>([](TaskStatus<int>&) {
          try {
            sleep_forever();
          } catch (const Cancelled&) {
            return;
          }
        });
      });
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// TRI-11: given a child that just returns without "started", with no cancel about, then the
// start-protocol error is raised.
TEST(StructuredConcurrencyTest, ReturningWithoutStartedIsAUsageError) {
  testing::run_with_seeds([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) { n.start<int>([](TaskStatus<int>&) {}); }),
                 UsageError);
  });
}

// TRI-12: given a child's own error of similar text under cancel, then it is never turned into a
// cancel.
TEST(StructuredConcurrencyTest, TheChildsOwnErrorIsNeverTurnedIntoACancel) {
  testing::run_with_seeds([] {
    CancelScope scope;
    try {
      scope.run([&] {
        open_task_nursery([&](TaskNursery& n) {
          n.start<int>([&](TaskStatus<int>&) {
            scope.cancel();
            throw UsageError("the task given to start() ended without calling status.started()");
          });
        });
      });
      ADD_FAILURE() << "the error was lost";
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()),
                "the task given to start() ended without calling status.started()");
    }
  });
}

// TRI-13: given arguments, task name and started value, then they pass through.
TEST(StructuredConcurrencyTest, ArgumentsNameAndValuePassThrough) {
  testing::run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      const std::string argument = "argument";
      const auto value =
          n.start<std::string>("the name", [argument](TaskStatus<std::string>& status) {
            EXPECT_EQ(Loop::current().running_task_name(), "the name");
            status.started(argument + "!");
          });
      EXPECT_EQ(value, "argument!");
    });
  });
}

// A stream whose only sender failed must not look complete to its receiver.
TEST(StructuredConcurrencyTest, AFailureIsHeardBeforeTheEndOfItsChannel) {
  testing::run_with_seeds([] {
    bool cancelled = false;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   auto [send, receive] = open_memory_channel<int>(0);
                   n.start_soon("receiver", [&cancelled, receive = std::move(receive)] {
                     try {
                       receive.receive();
                       receive.receive();
                     } catch (const Cancelled&) {
                       cancelled = true;
                       throw;
                     }
                   });
                   n.start_soon("sender", [send = std::move(send)] {
                     send.send(1);
                     throw ChildError("between two values");
                   });
                 }),
                 ChildError)
        << "with EndOfChannel besides it would be a group";
    EXPECT_TRUE(cancelled);
  });
}

}  // namespace
}  // namespace troupe

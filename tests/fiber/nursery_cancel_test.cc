// SPDX-License-Identifier: Apache-2.0
// Nurseries that are cancelled, from inside and from outside.

#include "troupe/runtime/fiber/nursery.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/fiber/seeds.h"
#include "troupe/tests/fiber/valgrind.h"

namespace troupe {
namespace {

using testing::LogCatcher;
using testing::run_with_seeds;

// T-NUR-16: given children's cancel scopes, then they come from where the nursery was opened, not
// from where start was called.
TEST(NurseryCancelTest, ChildrenBelongToTheNurserysScope) {
  run_with_seeds([] {
    bool child_was_cancelled = true;
    open_task_nursery([&](TaskNursery& n) {
      CancelScope scope;
      scope.run([&] {
        n.start_soon([&] {
          checkpoint();
          child_was_cancelled = false;
        });
        scope.cancel();
        checkpoint();
      });
      EXPECT_TRUE(scope.cancelled_caught());
    });
    EXPECT_FALSE(child_was_cancelled);
  });
}

TEST(NurseryCancelTest, AShieldAroundStartDoesNotProtectTheChild) {
  run_with_seeds([] {
    bool child_was_cancelled = false;
    open_task_nursery([&](TaskNursery& n) {
      n.cancel();
      CancelScope shield({.shield = true});
      shield.run([&] {
        n.start_soon([&] {
          child_was_cancelled = true;
          checkpoint();
          child_was_cancelled = false;
        });
        for (int i = 0; i < 3; ++i) checkpoint();
      });
    });
    EXPECT_TRUE(child_was_cancelled);
  });
}

TEST(NurseryCancelTest, CancelReachesBodyAndChildren) {
  run_with_seeds([] {
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 10; ++i) {
        n.start_soon([&] {
          try {
            sleep_forever();
          } catch (const Cancelled&) {
            ++ended;
            throw;
          }
        });
      }
      checkpoint();
      n.cancel();
      EXPECT_THROW(checkpoint(), Cancelled);
      checkpoint();
      ADD_FAILURE() << "the body was not cancelled again";
    });
    EXPECT_EQ(ended, 10);
  });
}

TEST(NurseryCancelTest, StatusCanBeAskedAfterTheBlock) {
  run_tasks([] {
    NurseryStatus status;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([] { sleep_forever(); });
      status = n.status();
      EXPECT_EQ(status.child_count(), 1u);
      EXPECT_FALSE(status.cancel_called());
      n.cancel();
    });
    EXPECT_EQ(status.child_count(), 0u);
    EXPECT_TRUE(status.cancel_called());
    EXPECT_TRUE(status.cancelled_caught());
  });
}

// T-CAN-04 holds for nurseries, too: cancelled, but nothing that could have noticed.
TEST(NurseryCancelTest, CancelledCaughtOnlyWhenSomethingWasCancelled) {
  run_tasks([] {
    NurseryStatus status;
    open_task_nursery([&](TaskNursery& n) {
      status = n.status();
      n.cancel();
    });
    EXPECT_TRUE(status.cancel_called());
    EXPECT_FALSE(status.cancelled_caught());
  });
}

TEST(NurseryCancelTest, BodyCancelledByItsOwnNurseryHasNoValue) {
  run_tasks([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.cancel();
                   checkpoint();
                   return 1;
                 }),
                 UsageError);
  });
}

TEST(NurseryCancelTest, BodyThatReturnedKeepsItsValueWhenChildrenAreCancelled) {
  run_with_seeds([] {
    EXPECT_EQ(open_task_nursery([](TaskNursery& n) {
                n.start_soon([] { sleep_forever(); });
                n.cancel();
                return 5;
              }),
              5);
  });
}

TEST(NurseryCancelTest, OuterCancellationPassesThroughANestOfNurseries) {
  run_with_seeds([] {
    int unwound = 0;
    CancelScope outer;
    const auto done = outer.run([&] {
      open_task_nursery([&](TaskNursery& a) {
        a.start_soon([&] {
          open_task_nursery([&](TaskNursery& b) {
            b.start_soon([&] {
              try {
                sleep_forever();
              } catch (const Cancelled&) {
                ++unwound;
                throw;
              }
            });
          });
        });
        checkpoint();
        outer.cancel();
      });
      ++unwound;
    });
    EXPECT_FALSE(done);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_EQ(unwound, 1);
  });
}

TEST(NurseryCancelTest, ErrorsWinOverCancellationWhichComesAgain) {
  run_with_seeds([] {
    LogCatcher log;
    CancelScope scope;
    bool caught_error = false;
    scope.run([&] {
      try {
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon([] {
            try {
              sleep_forever();
            } catch (const Cancelled&) {
              throw std::out_of_range("in cleanup");
            }
          });
          checkpoint();
          scope.cancel();
          sleep_forever();
        });
      } catch (const std::out_of_range&) {
        caught_error = true;
      }
      checkpoint();
      ADD_FAILURE() << "the cancellation was lost";
    });
    EXPECT_TRUE(caught_error);
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_TRUE(log.texts().empty()) << log.texts().front();
  });
}

TEST(NurseryCancelTest, GroupsNeverHoldCancelled) {
  run_with_seeds([] {
    try {
      open_task_nursery([](TaskNursery& n) {
        for (int i = 0; i < 5; ++i) n.start_soon([] { sleep_forever(); });
        n.start_soon([] { throw std::out_of_range("a"); });
        n.start_soon([] {
          try {
            sleep_forever();
          } catch (const Cancelled&) {
            throw std::logic_error("b");
          }
        });
      });
      FAIL();
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
  });
}

TEST(NurseryCancelTest, ManyChildrenWithScopesCanBeCancelledOneByOne) {
  run_tasks([] {
    const int count = testing::under_valgrind() ? 1'000 : 20'000;
    std::vector<std::unique_ptr<CancelScope>> scopes;
    for (int i = 0; i < count; ++i) scopes.push_back(std::make_unique<CancelScope>());
    int moved_on = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < count; ++i) {
        n.start_soon([&moved_on, &scope = *scopes[i]] {
          scope.run([] { sleep_forever(); });
          moved_on += scope.cancelled_caught() ? 1 : 0;
        });
      }
      checkpoint();
      for (auto& scope : scopes) scope->cancel();
    });
    EXPECT_EQ(moved_on, count);
  });
}

}  // namespace
}  // namespace troupe

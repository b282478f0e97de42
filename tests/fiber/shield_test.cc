// SPDX-License-Identifier: Apache-2.0
// What cancellation does not interrupt: shields, clean-up with a time limit, waits that cannot be
// aborted.

#include "troupe/runtime/fiber/cancel_scope.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "troupe/runtime/fiber/gather.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// T-CAN-07: given a shield, then outer cancels are held off, inner cancels still work, and
// un-shielding delivers at once, also to already sleeping tasks.
TEST(ShieldTest, HoldsOffOuterCancelsOnly) {
  run_tasks([] {
    CancelScope outer;
    CancelScope shield({.shield = true});
    outer.run([&] {
      shield.run([&] {
        outer.cancel();
        checkpoint();
        shield.cancel();
        checkpoint();
        ADD_FAILURE() << "the shield's own cancellation was held off";
      });
      EXPECT_TRUE(shield.cancelled_caught());
      checkpoint();
      ADD_FAILURE() << "the outer cancellation was lost";
    });
    EXPECT_TRUE(outer.cancelled_caught());
  });
}

TEST(ShieldTest, LoweringItDeliversToSleepers) {
  run_with_seeds([] {
    CancelScope outer;
    CancelScope shield({.shield = true});
    int cancelled = 0;
    open_task_nursery([&](TaskNursery& helpers) {
      helpers.start_soon([&] {
        outer.run([&] {
          shield.run([&] {
            open_task_nursery([&](TaskNursery& n) {
              for (int i = 0; i < 3; ++i) {
                n.start_soon([&] {
                  try {
                    sleep_forever();
                  } catch (const Cancelled&) {
                    ++cancelled;
                    throw;
                  }
                });
              }
            });
          });
        });
      });
      checkpoint();
      checkpoint();
      outer.cancel();
      checkpoint();
      checkpoint();
      EXPECT_EQ(cancelled, 0);
      shield.set_shield(false);
    });
    EXPECT_EQ(cancelled, 3);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(shield.cancelled_caught());
  });
}

TEST(ShieldTest, RaisingItAfterTheDeliveryComesTooLate) {
  run_with_seeds([] {
    CancelScope outer;
    CancelScope inner;
    std::string reason;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        outer.run([&] {
          inner.run([&] {
            try {
              sleep_forever();
            } catch (const Cancelled& cancelled) {
              reason = cancelled.reason().text;
              throw;
            }
          });
        });
      });
      checkpoint();
      outer.cancel("why");     // the sleeper is woken by it
      inner.set_shield(true);  // and runs after this
    });
    EXPECT_EQ(reason, "why");
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
  });
}

// T-CAN-24: given a cancelled scope, when cleanup must block, then a shielded scope with its own
// timeout is the way.
// The same where children have met it: it is not lost between them and who waits for them.
TEST(ShieldTest, RaisingItAfterChildrenWereCancelledComesTooLate) {
  run_with_seeds([] {
    CancelScope outer;
    CancelScope inner;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        outer.run([&] {
          inner.run([&] {
            gather([] { sleep_forever(); }, [] { sleep_forever(); });
            ADD_FAILURE() << "there is nothing that it could return";
          });
        });
        EXPECT_TRUE(outer.cancelled_caught());
      });
      testing::wait_all_tasks_blocked();
      outer.cancel();
      inner.set_shield(true);
    });
  });
}

TEST(ShieldTest, OfAScopeThatWasLeftConcernsNobody) {
  run_tasks([] {
    CancelScope reused;
    {
      const auto around = std::make_unique<CancelScope>();
      around->run([&] { reused.run([] {}); });
    }
    reused.set_shield(true);
    reused.set_shield(false);
    EXPECT_FALSE(reused.cancel_called());
  });
}

TEST(CleanupTest, AShieldedScopeWithItsOwnTimeoutMayWait) {
  run_tasks([] {
    bool cleaned_up = false;
    bool gave_up = false;
    CancelScope scope;
    scope.run([&] {
      try {
        scope.cancel();
        checkpoint();
      } catch (const Cancelled&) {
        CancelScope quick({.deadline = current_time() + 1h, .shield = true});
        quick.run([&] {
          sleep(1ms);
          cleaned_up = true;
        });
        CancelScope slow({.deadline = current_time() + 1ms, .shield = true});
        slow.run([] { sleep_forever(); });
        gave_up = slow.cancelled_caught();
        throw;
      }
    });
    EXPECT_TRUE(cleaned_up);
    EXPECT_TRUE(gave_up);
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// T-CAN-17: given an operation that cannot be aborted (abort fails), then cancel waits until it
// finishes and is then delivered; the abort callback runs once only.
struct Stubborn : Wait {
  int asked = 0;
};

void wait_stubbornly(Stubborn& wait) {
  wait.what = "something that cannot be aborted";
  wait.abort = [](Wait& aborted) noexcept {
    ++static_cast<Stubborn&>(aborted).asked;
    return false;
  };
  Loop::current().park(wait);
}

TEST(AbortTest, WhatCannotBeAbortedFinishesFirst) {
  run_with_seeds([] {
    Stubborn wait;
    bool finished = false;
    CancelScope outer;
    CancelScope inner;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        outer.run([&] {
          inner.run([&] {
            wait_stubbornly(wait);
            finished = true;
            checkpoint();
            ADD_FAILURE() << "the cancellation was lost";
          });
        });
      });
      checkpoint();
      inner.cancel();
      outer.cancel();
      checkpoint();
      EXPECT_FALSE(finished);
      EXPECT_EQ(wait.asked, 1);
      Loop::current().wake(*wait.task);
    });
    EXPECT_TRUE(finished);
    EXPECT_TRUE(outer.cancelled_caught());
  });
}

TEST(AbortTest, AskedAtOnceWhenCancelledBefore) {
  run_with_seeds([] {
    Stubborn wait;
    CancelScope scope;
    bool finished = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          scope.cancel();
          wait_stubbornly(wait);
          finished = true;
        });
      });
      checkpoint();
      EXPECT_EQ(wait.asked, 1);
      EXPECT_FALSE(finished);
      Loop::current().wake(*wait.task);
    });
    EXPECT_TRUE(finished);
  });
}

}  // namespace
}  // namespace troupe

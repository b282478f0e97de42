// SPDX-License-Identifier: Apache-2.0

// Contexts and calls that another task, or another actor, cancels.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::in_nursery;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

struct Silence {
  using Started = void;
};
using Context = troupe::CallerContext<Silence, void>;

void sleeps(troupe::Context<Silence>& ctx) {
  const NotesItsEnd end("woken");
  ctx.started();
  troupe::sleep_forever();
}
void never_starts(troupe::Context<Silence>&) {
  note("waits");
  troupe::sleep_forever();
}
void plainly_sleeps() {
  note("waits");
  troupe::sleep_forever();
}
// Ends the actor of that name, and then finds it gone.
bool cancels(const std::string& name) {
  const troupe::Portal portal = troupe::wait_for_actor(name);
  return portal.cancel_actor() && !portal.cancel_actor();
}

inline const auto& sleepers =
    troupe::module<"sleepers", &sleeps, &never_starts, &plainly_sleeps, &cancels>;

// How a block in another task came out.
struct Outcome {
  bool quiet = false;
  std::optional<troupe::ContextCancelled> error;
};

// Runs `block` and tells how it came out.
template <class Block>
Outcome outcome_of(Block block) {
  try {
    block();
    return {true, std::nullopt};
  } catch (const troupe::ContextCancelled& error) {
    return {false, error};
  }
}

// OOB-01: a task cancels the context in whose body another one sleeps: that body is interrupted,
// and its block ends without an error.
TEST(OutOfBandCancelTest, AnotherTaskCancelsTheContext) {
  with_actor(sleepers, [](troupe::Portal& portal) {
    for (int round = 0; round < 20; ++round) {
      Context* context = nullptr;
      troupe::Event opened;
      Outcome outcome;
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] {
          outcome = outcome_of([&] {
            portal.open_context<&sleeps>([&](Context& ctx) {
              context = &ctx;
              opened.set();
              troupe::sleep_forever();
            });
          });
        });
        opened.wait();
        context->cancel();
      });
      EXPECT_TRUE(outcome.quiet);
    }
  });
}

// The same while the body waits for the result, and while the block waits for the callee.
TEST(OutOfBandCancelTest, AnotherTaskCancelsAContextThatWaits) {
  with_actor(sleepers, [](troupe::Portal& portal) {
    for (const bool for_result : {true, false}) {
      Context* context = nullptr;
      troupe::Event opened;
      Outcome outcome;
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] {
          outcome = outcome_of([&] {
            portal.open_context<&sleeps>([&](Context& ctx) {
              context = &ctx;
              opened.set();
              if (for_result) ctx.result();
            });
          });
        });
        opened.wait();
        context->cancel();
      });
      EXPECT_TRUE(outcome.quiet);
    }
  });
}

// A task of the body that cancels the context ends the body, too.
TEST(OutOfBandCancelTest, ATaskOfTheBodyCancelsTheContext) {
  with_actor(sleepers, [](troupe::Portal& portal) {
    bool went_on = false;
    portal.open_context<&sleeps>([&](Context& ctx) {
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] { ctx.cancel(); });
        troupe::sleep_forever();
      });
      went_on = true;
    });
    EXPECT_FALSE(went_on);
  });
}

// OOB-02: a task ends the whole actor instead. The context was not cancelled from here, so its
// block raises that, with this actor as the canceller.
TEST(OutOfBandCancelTest, AnotherTaskCancelsTheActor) {
  in_nursery([](troupe::ActorNursery& actors) {
    troupe::Portal portal = dialogs::start(actors, "callee", sleepers);
    troupe::Event opened;
    Outcome outcome;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        outcome = outcome_of([&] {
          portal.open_context<&sleeps>([&](Context&) {
            opened.set();
            troupe::sleep_forever();
          });
        });
      });
      opened.wait();
      EXPECT_TRUE(portal.cancel_actor());
    });
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->canceller(), troupe::current_actor().uid());
  });
}

// OOB-04: an opener that waits for a first word which never comes is released when a third actor
// cancels the callee, and learns who did it. So is the caller of a plain function.
TEST(OutOfBandCancelTest, AThirdActorCancelsTheCallee) {
  in_nursery([](troupe::ActorNursery& actors) {
    troupe::Portal callee = dialogs::start(actors, "callee", sleepers);
    troupe::Portal third = dialogs::start(actors, "third", sleepers);
    Outcome context;
    Outcome call;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        context = outcome_of([&] { callee.open_context<&never_starts>([](Context&) {}); });
      });
      n.start_soon([&] { call = outcome_of([&] { callee.run<&plainly_sleeps>(); }); });
      EXPECT_EQ(callee.run<&read_diary>(2), (Lines{"waits", "waits"}));
      third.run<&cancels>("callee");  // what the canceller is told is another test's matter
    });
    for (const Outcome* outcome : {&context, &call}) {
      ASSERT_TRUE(outcome->error);
      EXPECT_EQ(outcome->error->canceller(), third.uid());
    }
    third.cancel_actor();
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// `ctx.cancel()` by the callee: it ends the opener's body, which in turn ends the callee.

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Context = troupe::Context<Numbers>;
using Stream = troupe::Stream<int, int>;

void cancels_before_started(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.cancel();
  ctx.open_stream([](Stream&) { note("opened"); });
  note("went on");
}
void cancels_and_sleeps(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.cancel();
  note(ctx.cancel_called() && ctx.cancel_acked() ? "acknowledged" : "not acknowledged");
  note(ctx.canceller() ? ctx.canceller()->name : "nobody");
  troupe::sleep_forever();
}
int cancels_and_returns(Context& ctx) {
  ctx.cancel();
  return 7;
}
void cancels_when_started(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.started();
  ctx.cancel();
  troupe::sleep_forever();
}
// When the opener's body has begun, and says so.
void cancels_at_the_gate(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.started();
  dialogs::gate().wait();
  ctx.cancel();
  troupe::sleep_forever();
}
// As soon as the opener has left the stream.
void cancels_when_left(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.started();
  ctx.open_stream([](Stream& stream) {
    for ([[maybe_unused]] int value : stream) {
    }
  });
  ctx.cancel();
  troupe::sleep_forever();
}
// In the middle of a stream, from another task than the function's own.
void cancels_from_a_task(Context& ctx) {
  const NotesItsEnd end("ended");
  ctx.started();
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    n.start_soon([&] {
      dialogs::gate().wait();
      ctx.cancel();
    });
    ctx.open_stream([](Stream& stream) {
      for (int value : stream) stream.send(value);
    });
    note("the stream ended");
  });
}
// Cancels the opener only after that has cancelled it.
void cancels_too_late(Context& ctx) {
  ctx.started();
  try {
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    ctx.cancel();
    throw;
  }
}

inline const auto& contexts =
    troupe::module<"contexts", &cancels_before_started, &cancels_and_sleeps, &cancels_and_returns,
                   &cancels_when_started, &cancels_at_the_gate, &cancels_when_left,
                   &cancels_from_a_task, &cancels_too_late>;

// The error says that the callee has cancelled the context itself.
void expect_cancelled_by_callee(const std::optional<troupe::ContextCancelled>& error) {
  ASSERT_TRUE(error);
  EXPECT_EQ(error->canceller().name, "callee");
  EXPECT_NE(std::string(error->what()).find("by its own task"), std::string::npos) << error->what();
}

// CTX-19: a callee that cancels its context before `started`: its stream does not open, its next
// wait is cancelled, and the opener gets a ContextCancelled that says who did it.
TEST(CalleeCancelTest, BeforeStarted) {
  with_actor(contexts, [](troupe::Portal& portal) {
    bool began = false;
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>(
        [&] { portal.open_context<&cancels_before_started>([&](auto&) { began = true; }); }));
    EXPECT_FALSE(began);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"ended"});
  });
}

TEST(CalleeCancelTest, TheNextWaitOfTheCalleeIsCancelled) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>(
        [&] { portal.open_context<&cancels_and_sleeps>([](auto&) {}); }));
    EXPECT_EQ(portal.run<&read_diary>(0), (Lines{"acknowledged", "callee", "ended"}));
  });
}

// To return without `started` is no misuse for who has cancelled the context.
TEST(CalleeCancelTest, ThenTheCalleeMayReturn) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&cancels_and_returns>([](auto& ctx) { return ctx.result(); });
    }));
  });
}

// The opener's body is interrupted wherever it waits, and both ends know who has cancelled.
TEST(CalleeCancelTest, InterruptsTheBody) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&cancels_at_the_gate>([&](auto& ctx) {
        try {
          portal.run<&dialogs::open_gate>();
          troupe::sleep_forever();
        } catch (const troupe::Cancelled&) {
          EXPECT_FALSE(ctx.cancel_called());
          EXPECT_EQ(ctx.canceller(), ctx.peer());
          throw;
        }
      });
    }));
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"ended"});
  });
}

TEST(CalleeCancelTest, InterruptsAStream) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&cancels_from_a_task>([&](auto& ctx) {
        ctx.open_stream([&](Stream& stream) {
          stream.send(1);
          EXPECT_EQ(stream.receive(), 1);
          portal.run<&dialogs::open_gate>();
          stream.receive();
          ADD_FAILURE() << "there was no second value";
        });
      });
    }));
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"ended"});
  });
}

// A body that has come to its end waits for the callee, which instead cancels the context: neither
// waits for the other.
TEST(CalleeCancelTest, InterruptsTheWaitAtTheEndOfTheBlock) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>(
        [&] { portal.open_context<&cancels_when_left>([](auto&) {}); }));
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"ended"});
  });
}

// The same when the cancel comes before the body has looked.
TEST(CalleeCancelTest, ABodyWithoutAWaitIsCancelledAtItsEnd) {
  with_actor(contexts, [](troupe::Portal& portal) {
    expect_cancelled_by_callee(error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&cancels_when_started>([&](auto&) {
        // Waits for the other side, but under a shield.
        troupe::CancelScope shield({.shield = true});
        shield.run([] { troupe::sleep(std::chrono::milliseconds(5)); });
      });
    }));
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"ended"});
  });
}

// An error of the body is more than the cancellation.
TEST(CalleeCancelTest, AnErrorOfTheBodyWins) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.open_context<&cancels_at_the_gate>([&](auto&) {
      try {
        portal.run<&dialogs::open_gate>();
        troupe::sleep_forever();
      } catch (const troupe::Cancelled&) {
        throw std::out_of_range("the body's");
      }
    }),
                 std::out_of_range);
  });
}

// Who cancels first is the canceller: a callee that cancels in its cleanup changes nothing.
TEST(CalleeCancelTest, TheFirstCancelCounts) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&cancels_too_late>([](auto& ctx) {
      ctx.cancel();
      EXPECT_THROW(ctx.result(), troupe::ContextCancelled);
      EXPECT_EQ(ctx.canceller(), troupe::current_actor().uid());
    });
  });
}

}  // namespace

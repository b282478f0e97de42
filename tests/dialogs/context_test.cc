// SPDX-License-Identifier: Apache-2.0

// Contexts that go well: the first word, the result, and what a normal end waits for.

#include <gtest/gtest.h>

#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::Lines;
using dialogs::note;
using dialogs::read_diary;
using dialogs::with_actor;

struct Word {
  using Started = int;
};
struct Silence {
  using Started = void;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
struct Nested {
  using Started = std::string;
};

// Returns `data`, or -1 when the accessor has another context.
int simple(troupe::Context<Word>& ctx, int data) {
  ctx.started(data + 1);
  return &troupe::current_ipc_ctx() == &ctx ? data : -1;
}

void returns_nothing(troupe::Context<Silence>& ctx) { ctx.started(); }

// Sends values that nobody reads, and goes on until the other side has left.
int sends_unread_values(troupe::Context<Numbers>& ctx, int count) {
  ctx.started();
  int received = 0;
  ctx.open_stream([&](troupe::Stream<int, int>& stream) {
    for (int i = 0; i < count; ++i) stream.send(i);
    note("sent");
    for ([[maybe_unused]] int value : stream) ++received;
  });
  note("left");
  return received;
}

// The context of this function, with one to a third actor inside of it.
std::string in_between(troupe::Context<Nested>& ctx, const std::string& third) {
  troupe::Portal portal = troupe::wait_for_actor(third);
  return portal.open_context<&simple>(1, [&](auto& inner, int first) {
    const bool is_inner = &troupe::current_ipc_ctx() == &inner;
    ctx.started(std::to_string(first) + (is_inner ? " inner" : " outer"));
    return std::to_string(inner.result());
  });
}

bool has_context() {
  try {
    troupe::current_ipc_ctx();
    return true;
  } catch (const troupe::UsageError&) {
    return false;
  }
}

inline const auto& contexts = troupe::module<"contexts", &simple, &returns_nothing,
                                             &sends_unread_values, &in_between, &has_context>;

// CTX-03: the opener's body begins with the callee's first word, and the accessor gives the context
// on both sides, also in tasks that the body starts.
TEST(ContextTest, BeginsWithTheFirstWord) {
  with_actor(contexts, [](troupe::Portal& portal) {
    const int result = portal.open_context<&simple>(10, [](auto& ctx, int first) {
      EXPECT_EQ(first, 11);
      EXPECT_EQ(&troupe::current_ipc_ctx(), &ctx);
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] { EXPECT_EQ(&troupe::current_ipc_ctx(), &ctx); });
      });
      return ctx.result();
    });
    EXPECT_EQ(result, 10);
    EXPECT_THROW(troupe::current_ipc_ctx(), troupe::UsageError);
    EXPECT_FALSE(portal.run<&has_context>());
  });
}

// A task that a context's body starts elsewhere may outlive the context.
TEST(ContextTest, TheAccessorKnowsNoContextThatHasEnded) {
  with_actor(contexts, [](troupe::Portal& portal) {
    troupe::open_task_nursery([&](troupe::TaskNursery& outer) {
      troupe::Event ended;
      portal.open_context<&simple>(10, [&](auto& ctx, int) {
        outer.start_soon("outlives it", [&ended] {
          EXPECT_TRUE(has_context());
          ended.wait();
          EXPECT_FALSE(has_context());
        });
        troupe::checkpoint();
        return ctx.result();
      });
      ended.set();
      outer.wait_all();
    });
  });
}

TEST(ContextTest, TheAccessorGivesTheInnermostContext) {
  dialogs::in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal middle = dialogs::start(n, "middle", contexts);
    dialogs::start(n, "third", contexts);
    EXPECT_EQ(middle.open_context<&in_between>("third",
                                               [](auto& ctx, const std::string& first) {
                                                 EXPECT_EQ(first, "2 inner");
                                                 return ctx.result();
                                               }),
              "1");
    n.cancel();
  });
}

// CTX-04: after the callee has returned, its result can be asked for again and again, and neither a
// late cancel nor a stream without a use does harm.
TEST(ContextTest, NothingHarmsAContextThatHasReturned) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&simple>(5, [](auto& ctx, int) {
      EXPECT_EQ(ctx.result(), 5);
      ctx.open_stream([](auto&) {});
      ctx.cancel();
      EXPECT_EQ(ctx.result(), 5);
      EXPECT_FALSE(ctx.canceller().has_value());
    });
  });
}

// The block has the value of its body, whatever the callee returns.
TEST(ContextTest, ReturnsWhatTheBodyReturns) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.open_context<&returns_nothing>([](auto& ctx) {
      ctx.result();
      return std::string("the body's");
    }),
              "the body's");
    EXPECT_EQ(portal.open_context<&simple>(1, [](auto&, int first) { return first * 100; }), 200);
    portal.open_context<&returns_nothing>([](auto&) {});
  });
}

// CTX-23: an opener that leaves in order without having asked for the result waits for the callee
// to return; what that has sent meanwhile is discarded.
TEST(ContextTest, LeavingInOrderWaitsForTheCallee) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&sends_unread_values>(
        100, [&](auto&) { EXPECT_EQ(portal.run<&read_diary>(1), Lines{"sent"}); });
    EXPECT_EQ(portal.run<&read_diary>(0), (Lines{"sent", "left"}));
  });
}

// CTX-16: the connection and the actor are as they were after a context.
TEST(ContextTest, LeavesTheConnectionInOrder) {
  with_actor(contexts, [](troupe::Portal& portal) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(portal.open_context<&simple>(i, [](auto& ctx, int) { return ctx.result(); }), i);
    }
    EXPECT_TRUE(portal.connected());
    EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
  });
}

}  // namespace

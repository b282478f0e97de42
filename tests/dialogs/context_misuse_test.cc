// SPDX-License-Identifier: Apache-2.0

// Contexts that are used in the wrong order, twice, or from the wrong place: an error that says so,
// at whoever does it.

#include <gtest/gtest.h>

#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::Lines;
using dialogs::note;
using dialogs::read_diary;
using dialogs::with_actor;

struct Numbers {
  using Started = int;
  using ToCallee = int;
  using ToCaller = int;
};
using Context = troupe::Context<Numbers>;
using Stream = troupe::Stream<int, int>;

void starts_twice(Context& ctx) {
  ctx.started(1);
  try {
    ctx.started(2);
  } catch (const troupe::UsageError& error) {
    note(error.what());
    throw;
  }
}
void streams_before_started(Context& ctx) {
  ctx.open_stream([](Stream&) { note("opened"); });
  ctx.started(1);
}
int never_starts(Context&) { return 1; }
void streams_twice(Context& ctx) {
  ctx.started(1);
  ctx.open_stream([](Stream&) {});
  ctx.open_stream([](Stream&) { note("opened"); });
}
// Leaves its stream at once, and returns when the gate opens.
int leaves_its_stream(Context& ctx) {
  ctx.started(1);
  ctx.open_stream([](Stream&) {});
  dialogs::gate().wait();
  return 5;
}
// Opens no stream at all.
int has_no_stream(Context& ctx) {
  ctx.started(1);
  dialogs::gate().wait();
  return 6;
}
// Sends when the other side has left.
void sends_to_nobody(Context& ctx) {
  ctx.started(1);
  ctx.open_stream([](Stream& stream) {
    if (stream.next()) note("received");
    stream.send(1);
    note("sent");
  });
}
int plain(int number) { return number; }
void stream_function(troupe::Sink<int> out) { out.send(1); }

inline const auto& misused =
    troupe::module<"misused", &starts_twice, &streams_before_started, &never_starts, &streams_twice,
                   &leaves_its_stream, &has_no_stream, &sends_to_nobody, &plain, &stream_function>;

// The callee's misuse, as the opener gets it.
template <auto F>
std::string misuse_of(troupe::Portal& portal) {
  const auto error = error_of<troupe::RemoteActorError>(
      [&] { portal.open_context<F>([](auto& ctx, int) { ctx.result(); }); });
  if (!error) return {};
  EXPECT_TRUE(error->template is<troupe::UsageError>()) << error->what();
  return error->boxed_message();
}

// CTX-01: `started` raises the second time, and the opener gets a remote error.
TEST(ContextMisuseTest, StartedTwice) {
  with_actor(misused, [](troupe::Portal& portal) {
    const std::string message = misuse_of<&starts_twice>(portal);
    EXPECT_NE(message.find("a second time"), std::string::npos) << message;
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{message});
  });
}

// CTX-02: the stream cannot be opened before `started`.
TEST(ContextMisuseTest, StreamBeforeStarted) {
  with_actor(misused, [](troupe::Portal& portal) {
    const std::string message = misuse_of<&streams_before_started>(portal);
    EXPECT_NE(message.find("call ctx.started(...) first"), std::string::npos) << message;
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{});
  });
}

TEST(ContextMisuseTest, ReturnBeforeStarted) {
  with_actor(misused, [](troupe::Portal& portal) {
    const std::string message = misuse_of<&never_starts>(portal);
    EXPECT_NE(message.find("without a call of `started`"), std::string::npos) << message;
  });
}

// A context has one stream, on either side.
TEST(ContextMisuseTest, TwoStreamsInTheCallee) {
  with_actor(misused, [](troupe::Portal& portal) {
    const std::string message = misuse_of<&streams_twice>(portal);
    EXPECT_NE(message.find("one stream"), std::string::npos) << message;
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{});
  });
}

TEST(ContextMisuseTest, TwoStreamsInTheOpener) {
  with_actor(misused, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.open_context<&leaves_its_stream>([&](auto& ctx, int) {
      ctx.open_stream([](Stream&) {});
      EXPECT_THROW(ctx.open_stream([](Stream&) {}), troupe::UsageError);
      portal.run<&dialogs::open_gate>();
      return ctx.result();
    }),
              5);
  });
}

// Who has read the end of the other side's stream, and sends on, is told.
TEST(ContextMisuseTest, SendingToASideThatHasLeft) {
  with_actor(misused, [](troupe::Portal& portal) {
    portal.open_context<&leaves_its_stream>([&](auto& ctx, int) {
      ctx.open_stream([](Stream& stream) {
        EXPECT_FALSE(stream.next());
        EXPECT_THROW(stream.send(1), troupe::BrokenChannel);
        EXPECT_THROW(stream.try_send(1), troupe::BrokenChannel);
      });
      portal.run<&dialogs::open_gate>();
    });
    const auto error = error_of<troupe::RemoteActorError>(
        [&] { portal.open_context<&sends_to_nobody>([](auto&, int) {}); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<troupe::BrokenChannel>()) << error->what();
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{});
  });
}

// So is who waits for credit that never comes, when the other side has returned.
TEST(ContextMisuseTest, SendingToASideThatHasReturned) {
  with_actor(misused, [](troupe::Portal& portal) {
    portal.open_context<&has_no_stream>([&](auto& ctx, int) {
      ctx.open_stream([&](Stream& stream) {
        while (stream.try_send(1)) {
        }
        troupe::open_task_nursery([&](troupe::TaskNursery& n) {
          n.start_soon([&] { EXPECT_THROW(stream.send(1), troupe::BrokenChannel); });
          n.start_soon([&] { EXPECT_THROW(stream.send(1), troupe::BrokenChannel); });
          portal.run<&dialogs::open_gate>();
        });
      });
      EXPECT_EQ(ctx.result(), 6);
    });
  });
}

// A function of another kind than it is called as, which by name only the callee can know.
TEST(ContextMisuseTest, CallsOfAnotherKind) {
  with_actor(misused, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.run<int>("misused.never_starts"), troupe::UsageError);
    EXPECT_THROW(portal.run<void>("misused.stream_function"), troupe::UsageError);
    EXPECT_EQ(portal.run<int>("misused.plain", 3), 3);
  });
}

}  // namespace

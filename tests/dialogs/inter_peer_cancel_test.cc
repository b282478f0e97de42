// SPDX-License-Identifier: Apache-2.0

// Cancellation among several actors: whose error comes out where, and who is left alone.

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::in_nursery;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;

struct Silence {
  using Started = void;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Context = troupe::CallerContext<Silence, void>;

void sleeps(troupe::Context<Silence>& ctx) {
  const NotesItsEnd end("woken");
  ctx.started();
  troupe::sleep_forever();
}
void echoes(troupe::Context<Numbers>& ctx) {
  ctx.started();
  ctx.open_stream([](troupe::Stream<int, int>& stream) {
    for (int value : stream) stream.send(value);
  });
}
// Opens a context to `third`, and fails before it has started itself.
void fails_in_between(troupe::Context<Silence>& ctx, const std::string& third) {
  troupe::wait_for_actor(third).open_context<&sleeps>(
      [](auto&) { throw std::out_of_range("before started"); });
  ctx.started();
}
// Ends the actor `name` when the gate opens, and then sleeps.
void cancels_at_the_gate(troupe::Context<Silence>& ctx, const std::string& name) {
  ctx.started();
  dialogs::gate().wait();
  const NotesItsEnd end("canceller ended");
  troupe::wait_for_actor(name).cancel_actor();
  troupe::sleep_forever();
}

inline const auto& peers =
    troupe::module<"peers", &sleeps, &echoes, &fails_in_between, &cancels_at_the_gate>;

// PEER-01: A has a context in B, B one in C, and B fails before it has started, so that its cleanup
// cancels C: A gets B's own error.
TEST(InterPeerCancelTest, CleanupDoesNotHideTheError) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal b = dialogs::start(n, "b", peers);
    troupe::Portal c = dialogs::start(n, "c", peers);
    const auto error = error_of<troupe::RemoteActorError>(
        [&] { b.open_context<&fails_in_between>("c", [](auto&) {}); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<std::out_of_range>());
    EXPECT_EQ(error->src_uid().name, "b");
    EXPECT_EQ(c.run<&read_diary>(0), Lines{"woken"});
    n.cancel();
  });
}

// Contexts of the root in three actors, one of which ends another: what `inside` does with the
// ContextCancelled that the result of the ended one raises is the test's.
template <class Inside>
void with_three_contexts(Inside inside) {
  troupe::Event ready;
  in_nursery([&](troupe::ActorNursery& n) {
    troupe::Portal sleeper = dialogs::start(n, "sleeper", peers);
    troupe::Portal healthy = dialogs::start(n, "healthy", peers);
    troupe::Portal canceller = dialogs::start(n, "canceller", peers);
    n.start_soon([&ready, canceller] {
      ready.wait();
      canceller.run<&dialogs::open_gate>();
    });
    healthy.open_context<&sleeps>([&](Context& of_healthy) {
      canceller.open_context<&cancels_at_the_gate>("sleeper", [&](Context& of_canceller) {
        sleeper.open_context<&sleeps>([&](Context& of_sleeper) {
          ready.set();
          try {
            of_sleeper.result();
          } catch (const troupe::ContextCancelled& error) {
            inside(error, of_sleeper, of_healthy, of_canceller);
            throw;
          }
        });
      });
    });
  });
}

// PEER-02: the error names who asked for the end of the actor.
// PEER-04: the context itself names the actor that ended it, its own other side.
// PEER-05, PEER-09: the contexts in the two other actors are untouched before the opener unwinds.
// PEER-06: the opener has neither asked for a cancel nor got an acknowledgement.
// PEER-07: what the body was thrown is what leaves the block.
TEST(InterPeerCancelTest, AThirdActorEndsTheOtherSide) {
  std::string message;
  const auto error = error_of<troupe::ContextCancelled>([&] {
    with_three_contexts([&](const troupe::ContextCancelled& cancelled, Context& of_sleeper,
                            Context& of_healthy, Context& of_canceller) {
      message = cancelled.what();
      EXPECT_EQ(cancelled.canceller(), of_canceller.peer());
      EXPECT_EQ(of_sleeper.canceller(), of_sleeper.peer());
      EXPECT_FALSE(of_sleeper.cancel_called());
      EXPECT_FALSE(of_sleeper.cancel_acked());
      for (Context* other : {&of_healthy, &of_canceller}) {
        EXPECT_FALSE(other->canceller());
        EXPECT_FALSE(other->cancel_called());
        EXPECT_FALSE(other->cancel_scope().cancel_called());
      }
    });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->canceller().name, "canceller");
  EXPECT_EQ(error->what(), message);
}

// PEER-08: an error that the handler of the cancellation raises is what comes out.
TEST(InterPeerCancelTest, AnErrorOfTheHandlerWins) {
  EXPECT_THROW(with_three_contexts([](const troupe::ContextCancelled&, Context&, Context&,
                                      Context&) { throw std::domain_error("the handler's"); }),
               std::domain_error);
}

// PEER-08: the other contexts are cancelled as the handler's error unwinds; they see the opener as
// who did it.
TEST(InterPeerCancelTest, UnwindingCancelsTheOtherContexts) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal one = dialogs::start(n, "one", peers);
    troupe::Portal two = dialogs::start(n, "two", peers);
    EXPECT_THROW(one.open_context<&sleeps>([&](auto&) {
      two.open_context<&sleeps>([](auto&) { throw std::domain_error("the body's"); });
    }),
                 std::domain_error);
    EXPECT_EQ(one.run<&read_diary>(0), Lines{"woken"});
    EXPECT_EQ(two.run<&read_diary>(0), Lines{"woken"});
    n.cancel();
  });
}

// ---- A server that spawns on request ----

// Starts an actor of that name, which lives as long as the context.
void serves_a_child(troupe::Context<Silence>& ctx, const std::string& name) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    dialogs::start(n, name, peers);
    ctx.started();
    troupe::sleep_forever();
  });
}
// Talks to that actor, without an end.
void talks_to(troupe::Context<Silence>& ctx, const std::string& name) {
  const NotesItsEnd end("client ended");
  troupe::wait_for_actor(name).open_context<&echoes>([&](auto& inner) {
    inner.open_stream([&](troupe::Stream<int, int>& stream) {
      stream.send(1);
      note("echo " + std::to_string(stream.receive()));
      ctx.started();
      for (;;) {
        stream.send(2);
        stream.receive();
      }
    });
  });
}

inline const auto& service = troupe::module<"service", &serves_a_child, &talks_to>;

// PEER-10: a cancelled client ends gracefully, and the server does not notice.
// PEER-11: a cancelled server ends the child that it has spawned, which is found no more.
// PEER-13: the cancellation is what ends the client.
// PEER-14: the child is reached, and streamed with, by an actor that is neither parent nor child.
TEST(InterPeerCancelTest, AServerSpawnsForAClient) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal server = dialogs::start(n, "server", service);
    troupe::Portal client = dialogs::start(n, "client", service);
    server.open_context<&serves_a_child>("child", [&](Context& of_server) {
      client.open_context<&talks_to>("child", [&](Context& of_client) {
        of_client.cancel();
        EXPECT_TRUE(of_client.cancel_acked());
        const auto error = error_of<troupe::ContextCancelled>([&] { of_client.result(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->canceller(), troupe::current_actor().uid());
      });
      EXPECT_EQ(client.run<&read_diary>(0), (Lines{"echo 1", "client ended"}));
      EXPECT_FALSE(of_server.cancel_scope().cancel_called());
      ASSERT_TRUE(troupe::find_actor("child"));
      EXPECT_EQ(troupe::find_actor("child")->run<&dialogs::own_name>(), "child");
      of_server.cancel();
    });
    EXPECT_FALSE(troupe::find_actor("child"));
    EXPECT_EQ(server.run<&dialogs::own_name>(), "server");
    n.cancel();
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// `ctx.cancel()` by the opener: what it ends, what it raises where, and what goes on.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using dialogs::error_of;
using dialogs::in_nursery;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

struct Silence {
  using Started = void;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};

void sleeps(troupe::Context<Silence>& ctx) {
  const NotesItsEnd end("woken");
  ctx.started();
  troupe::sleep_forever();
}
int returns_at_once(troupe::Context<Silence>& ctx) {
  ctx.started();
  return 7;
}
void echoes(troupe::Context<Numbers>& ctx) {
  const NotesItsEnd end("echo ended");
  ctx.started();
  ctx.open_stream([](troupe::Stream<int, int>& stream) {
    for (int value : stream) stream.send(value);
  });
}
// What a callee sees at the moment when it is cancelled.
void observes(troupe::Context<Silence>& ctx) {
  ctx.started();
  try {
    troupe::sleep_forever();
  } catch (const troupe::Cancelled& cancelled) {
    note(ctx.cancel_scope().cancel_called() ? "called" : "not called");
    note(ctx.cancel_scope().cancelled_caught() ? "caught" : "not caught");
    note(ctx.canceller() ? ctx.canceller()->name : "nobody");
    note(cancelled.reason().text);
    throw;
  }
}
void fails_when_cancelled(troupe::Context<Silence>& ctx) {
  ctx.started();
  try {
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    throw std::runtime_error("the cleanup failed");
  }
}

inline const auto& contexts = troupe::module<"contexts", &sleeps, &returns_at_once, &echoes,
                                             &observes, &fails_when_cancelled>;

const troupe::Uid& self() { return troupe::current_actor().uid(); }

// CTX-07, ERR-02: after the opener's own cancel, the result is a ContextCancelled that names this
// actor as the canceller; nothing is raised outside of the block.
// CTX-14: the cancel was acknowledged when it returns.
TEST(ContextCancelTest, OwnCancelEndsQuietly) {
  with_actor(contexts, [](troupe::Portal& portal) {
    int steps = 0;
    portal.open_context<&sleeps>([&](auto& ctx) {
      ctx.cancel();
      EXPECT_TRUE(ctx.cancel_called());
      EXPECT_TRUE(ctx.cancel_acked());
      EXPECT_EQ(ctx.canceller(), self());
      troupe::checkpoint();  // the body itself is not cancelled
      ++steps;
      const auto error = error_of<troupe::ContextCancelled>([&] { ctx.result(); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->canceller(), self());
      ++steps;
      ctx.result();  // the block absorbs it
      ++steps;
    });
    EXPECT_EQ(steps, 2);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"woken"});
  });
}

// A body that goes on to return a value returns it; where the cancellation leaves no value, that is
// what comes out.
TEST(ContextCancelTest, OwnCancelLeavesTheValueOfTheBody) {
  with_actor(contexts, [](troupe::Portal& portal) {
    const auto five = [](auto& ctx) {
      ctx.cancel();
      return 5;
    };
    EXPECT_EQ(portal.open_context<&sleeps>(five), 5);
    const auto error = error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&sleeps>([](auto& ctx) {
        ctx.cancel();
        ctx.result();
        return 5;
      });
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->canceller(), self());
  });
}

// CTX-08: to end the whole actor is not the context's own cancel: leaving the block raises
// ContextCancelled, which names this actor as the canceller.
TEST(ContextCancelTest, CancellingTheActorIsRaised) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = dialogs::start(n, "callee", contexts);
    const auto error = error_of<troupe::ContextCancelled>([&] {
      portal.open_context<&sleeps>([&](auto& ctx) {
        EXPECT_TRUE(portal.cancel_actor());
        EXPECT_FALSE(ctx.cancel_called());
        ctx.result();
        ADD_FAILURE() << "there is no result";
      });
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->canceller(), self());
  });
}

// CTX-09: when the callee has returned before either cancel, its value stays the result.
TEST(ContextCancelTest, CancelAfterTheReturnIsTooLate) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = dialogs::start(n, "callee", contexts);
    portal.open_context<&returns_at_once>([](auto& ctx) {
      EXPECT_EQ(ctx.result(), 7);
      ctx.cancel();
      EXPECT_EQ(ctx.result(), 7);
      EXPECT_FALSE(ctx.canceller());
    });
    portal.open_context<&returns_at_once>([&](auto& ctx) {
      EXPECT_EQ(ctx.result(), 7);
      EXPECT_TRUE(portal.cancel_actor());
      EXPECT_EQ(ctx.result(), 7);
    });
  });
}

// CTX-10: a scope around the block has not caught anything.
TEST(ContextCancelTest, OwnCancelIsNoCancellationOfTheScopeAround) {
  with_actor(contexts, [](troupe::Portal& portal) {
    troupe::CancelScope scope;
    scope.run([&] {
      portal.open_context<&sleeps>([](auto& ctx) {
        ctx.cancel();
        ctx.result();
      });
    });
    EXPECT_FALSE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
  });
}

// CTX-12: the stream cannot be opened after one's own cancel; that, too, ends the block quietly.
TEST(ContextCancelTest, NoStreamAfterTheCancel) {
  with_actor(contexts, [](troupe::Portal& portal) {
    bool opened = false;
    portal.open_context<&echoes>([&](auto& ctx) {
      ctx.cancel();
      const auto error = error_of<troupe::ContextCancelled>([&] { ctx.open_stream([](auto&) {}); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->canceller(), self());
      ctx.open_stream([&](auto&) { opened = true; });
      ADD_FAILURE() << "the stream was opened";
    });
    EXPECT_FALSE(opened);
    EXPECT_TRUE(portal.connected());
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"echo ended"});
  });
}

// A stream that is open when its context is cancelled raises the same, both ways.
TEST(ContextCancelTest, AnOpenStreamEndsWithTheCancel) {
  with_actor(contexts, [](troupe::Portal& portal) {
    for (const bool sends : {false, true}) {
      bool went_on = false;
      portal.open_context<&echoes>([&](auto& ctx) {
        ctx.open_stream([&](troupe::Stream<int, int>& stream) {
          stream.send(1);
          EXPECT_EQ(stream.receive(), 1);
          ctx.cancel();
          while (sends) stream.send(2);
          stream.receive();
          went_on = true;
        });
        went_on = true;
      });
      EXPECT_FALSE(went_on);
    }
  });
}

// CTX-13: who only stops waiting for the result cannot leave before the callee; a cancel lets it.
TEST(ContextCancelTest, ATimeLimitOnTheResultCancelsNothing) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&sleeps>([&](auto& ctx) {
      EXPECT_FALSE(troupe::move_on_after(5ms, [&] { ctx.result(); }));
      EXPECT_EQ(portal.run<&read_diary>(0), Lines{}) << "the callee sleeps on";
      ctx.cancel();
    });
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"woken"});
  });
}

// A time limit around the whole block cancels the callee, too, and the block waits for that.
TEST(ContextCancelTest, ATimeLimitAroundTheBlockCancelsTheCallee) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_FALSE(troupe::move_on_after(
        20ms, [&] { portal.open_context<&sleeps>([](auto&) { troupe::sleep_forever(); }); }));
    EXPECT_FALSE(troupe::move_on_after(20ms, [&] { portal.open_context<&sleeps>([](auto&) {}); }));
    EXPECT_EQ(portal.run<&read_diary>(0), (Lines{"woken", "woken"}));
  });
}

// CTX-17: at the moment when the callee sees its cancellation, its scope is cancelled and has
// caught nothing yet, and it is known who asked.
TEST(ContextCancelTest, TheCalleeSeesWhoCancels) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&observes>([](auto& ctx) { ctx.cancel(); });
    EXPECT_EQ(portal.run<&read_diary>(0),
              (Lines{"called", "not caught", "root", "the caller cancelled the call"}));
  });
}

// CTX-25: an error of the callee wins over its cancellation.
TEST(ContextCancelTest, AnErrorOfTheCleanupIsNotLost) {
  with_actor(contexts, [](troupe::Portal& portal) {
    const auto error = error_of<troupe::RemoteActorError>(
        [&] { portal.open_context<&fails_when_cancelled>([](auto& ctx) { ctx.cancel(); }); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<std::runtime_error>());
    EXPECT_EQ(error->boxed_message(), "the cleanup failed");
  });
}

// Stops an actor's process while it lives.
class Stopped {
 public:
  explicit Stopped(int pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() { ::kill(pid_, SIGCONT); }

 private:
  int pid_;
};

// Keeps what is logged.
class Log {
 public:
  Log() {
    troupe::set_log_sink([this](const troupe::LogRecord& record) { text_ += record.text + '\n'; });
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { troupe::set_log_sink(nullptr); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// CTX-29: a peer that does not answer is given up after the grace, without an error but with a
// warning; the connection stays in order.
TEST(ContextCancelTest, ASilentPeerIsGivenUp) {
  const Log log;
  troupe::open_root_actor({.cancel_grace = 100ms}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal portal = dialogs::start(n, "callee", contexts);
      {
        const Stopped stopped(portal.run<&dialogs::own_pid>());
        // Nothing can start there, so the block is left in the middle of its beginning.
        EXPECT_FALSE(
            troupe::move_on_after(1ms, [&] { portal.open_context<&sleeps>([](auto&) {}); }));
      }
      portal.open_context<&sleeps>([&](auto& ctx) {
        const Stopped stopped(portal.run<&dialogs::own_pid>());
        ctx.cancel();
        EXPECT_TRUE(ctx.cancel_called());
        EXPECT_FALSE(ctx.cancel_acked());
        EXPECT_THROW(ctx.result(), troupe::ContextCancelled);
      });
      EXPECT_EQ(portal.run<&read_diary>(2), (Lines{"woken", "woken"}));
      portal.cancel_actor();
    });
  });
  EXPECT_NE(log.text().find("sleeps"), std::string::npos) << log.text();
}

}  // namespace

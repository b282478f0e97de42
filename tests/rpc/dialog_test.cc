// SPDX-License-Identifier: Apache-2.0

// Calls and contexts over two sessions face to face: what goes over the wire, and when. In
// virtual time, where everything that is queued has arrived once all tasks wait.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/rpc/dialog_pair.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::LogCatcher;
using testing::ServedPair;
using testing::wait_all_tasks_blocked;
using testing::with_pair;

struct Script {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};
using ScriptStream = Stream<std::string, std::string>;

// What functions note for the tests, which run in the same process.
struct Seen {
  int received = 0;
  bool cancelled = false;
};
Seen seen;

int add(int a, int b) { return a + b; }
int hidden() { return 1; }
int fails(int) { throw std::out_of_range("no such seat"); }
void waits() {
  try {
    sleep_forever();
  } catch (const Cancelled&) {
    seen.cancelled = true;
    throw;
  }
}
int goes_on_when_cancelled(int value) {
  try {
    sleep_forever();
  } catch (const Cancelled&) {
    return value;
  }
}
void dawdles(int milliseconds) {
  CancelScope shield({.shield = true});
  shield.run([&] { sleep(std::chrono::milliseconds(milliseconds)); });
}
void one(Sink<int> out) { out.send(1); }
void starts_and_returns(Context<Script>& ctx) { ctx.started(1); }
void never_starts(Context<Script>&) {}
void starts_twice(Context<Script>& ctx) {
  ctx.started(1);
  ctx.started(2);
}
void streams_before_started(Context<Script>& ctx) {
  ctx.open_stream([](ScriptStream&) {});
}
void listens(Context<Script>& ctx) {
  ctx.started(1);
  ctx.open_stream([](ScriptStream& stream) {
    for ([[maybe_unused]] const std::string& line : stream) ++seen.received;
  });
  sleep(1ms);
}
void answers(Context<Script>& ctx) {
  ctx.started(1);
  ctx.open_stream([](ScriptStream& stream) {
    for (const std::string& line : stream) stream.send(line + "!");
  });
}
void talks_for_ever(Context<Script>& ctx) {
  ctx.started(1);
  ctx.open_stream([](ScriptStream& stream) {
    for (;;) stream.send("bla");
  });
}
void cancels_its_opener(Context<Script>& ctx) {
  ctx.started(1);
  ctx.cancel();
  sleep_forever();
}
int serves_on(Context<Script>& ctx) {
  ctx.started(1);
  sleep_forever();
}

const Module stage =
    functions<&add, &fails, &waits, &goes_on_when_cancelled, &dawdles, &one, &starts_and_returns,
              &never_starts, &starts_twice, &streams_before_started, &listens, &answers,
              &talks_for_ever, &cancels_its_opener, &serves_on>();

// Runs `body(pair)` with nothing noted yet.
void play(const std::function<void(ServedPair&)>& body) {
  seen = {};
  with_pair(stage, body);
  seen = {};
}

// A call by a request of one's own.
void call_with(ServedPair& pair, Bytes request) {
  detail::PlainCall call(*pair.to_acceptor, "a request of the test");
  call.start(request);
  call.wait();
}

// The text of the error that `fn` throws.
template <class E, class Fn>
std::string error_of(Fn&& fn) {
  try {
    fn();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

// ---- Calls ----

TEST(DialogTest, ACallIsAStartAndAReturn) {
  play([](ServedPair& pair) {
    EXPECT_EQ(pair.portal().run<&add>(2, 3), 5);
    EXPECT_EQ(pair.connector.sent(FrameKind::start), 1);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::ret), 1);
    EXPECT_EQ(pair.connector.session.statistics().frames_received, 2u);  // welcome, ret
  });
}

TEST(DialogTest, AnErrorOfTheFunctionComesBack) {
  play([](ServedPair& pair) {
    try {
      pair.portal().run<&fails>(1);
      ADD_FAILURE() << "no error";
    } catch (const RemoteActorError& error) {
      EXPECT_TRUE(error.is<std::out_of_range>());
    }
  });
}

// MSG-16: a function goes by its name, and is found only where it is exposed.
TEST(DialogTest, WhatIsNotExposedCannotBeCalled) {
  play([](ServedPair& pair) {
    static_cast<void>(fn<&hidden>);
    const auto call = [&] { pair.portal().run<&hidden>(); };
    EXPECT_NE(error_of<ModuleNotExposed>(call).find("hidden"), std::string::npos);
    EXPECT_THROW(pair.portal().run<int>("theatre.add", 2, 3), ModuleNotExposed);
    pair.dispatcher.expose(module<"theatre", &add>);
    EXPECT_EQ(pair.portal().run<int>("theatre.add", 2, 3), 5);
    EXPECT_THROW(pair.portal().run<int>("theatre.hidden"), ModuleNotExposed);
  });
}

// MSG-05: who believes in another signature is told both.
TEST(DialogTest, AWrongSignatureNamesBoth) {
  play([](ServedPair& pair) {
    pair.dispatcher.expose(module<"theatre", &add>);
    const auto call = [&] { pair.portal().run<std::string>("theatre.add", 2, "3"); };
    const std::string what = error_of<MsgTypeError>(call);
    EXPECT_NE(what.find("std::string (int, std::string)"), std::string::npos) << what;
    EXPECT_NE(what.find("int (int, int)"), std::string::npos) << what;
  });
}

TEST(DialogTest, CancellingTheCallerEndsTheFunctionFirst) {
  play([](ServedPair& pair) {
    const auto done = move_on_after(10ms, [&] { pair.portal().run<&waits>(); });
    EXPECT_TRUE(done.cancelled_caught());
    EXPECT_TRUE(seen.cancelled);
    EXPECT_EQ(pair.connector.sent(FrameKind::cancel), 1);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::cancel_ack), 1);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::error), 1);
  });
}

// The caller is cancelled all the same: what the function made of it comes too late.
TEST(DialogTest, AFunctionMaySwallowItsCancellation) {
  play([](ServedPair& pair) {
    const LogCatcher log;
    const auto done =
        move_on_after(10ms, [&] { return pair.portal().run<&goes_on_when_cancelled>(7); });
    EXPECT_TRUE(done.cancelled_caught());
    EXPECT_EQ(pair.acceptor.sent(FrameKind::ret), 1);
    EXPECT_EQ(log.count("swallowed Cancelled"), 1);
  });
}

// CTX-29: a silent peer is given up after the grace; what still comes from it is late.
TEST(DialogTest, ASilentPeerIsGivenUp) {
  play([](ServedPair& pair) {
    LogCatcher log;
    pair.to_acceptor->grace = 50ms;
    CancelScope scope;
    const TimePoint before = current_time();
    scope.run([&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { pair.portal().run<&waits>(); });
        wait_all_tasks_blocked();
        pair.network.hold(true);
        scope.cancel();
      });
    });
    EXPECT_EQ(current_time() - before, 50ms);
    EXPECT_EQ(log.count("gave up a cancelled call"), 1);
    pair.network.hold(false);
    wait_all_tasks_blocked();
    EXPECT_TRUE(seen.cancelled);
    // cancel_ack and error.
    EXPECT_EQ(pair.connector.session.statistics().late_frames, 2u);
  });
}

// Once the request was heard the function may take its time.
TEST(DialogTest, AfterTheAcknowledgementTheEndIsWaitedFor) {
  play([](ServedPair& pair) {
    pair.to_acceptor->grace = 50ms;
    const TimePoint before = current_time();
    move_on_after(10ms, [&] { pair.portal().run<&dawdles>(1000); });
    EXPECT_EQ(current_time() - before, 1000ms);
  });
}

TEST(DialogTest, AStreamCalledAsAFunctionIsRefused) {
  play([](ServedPair& pair) {
    const auto call = [&] { call_with(pair, testing::request<&one>(std::nullopt)); };
    EXPECT_NE(error_of<UsageError>(call).find("is a stream: use open_stream"), std::string::npos);
  });
}

TEST(DialogTest, AFunctionCalledAsAStreamIsRefused) {
  play([](ServedPair& pair) {
    const auto call = [&] {
      call_with(pair, testing::request<&add>(detail::default_window, 1, 2));
    };
    EXPECT_NE(error_of<UsageError>(call).find("is a plain function: use run"), std::string::npos);
  });
}

// ---- Contexts ----

// MSG-14: Start, Started, values, Stop, and one last word.
TEST(DialogTest, AContextKeepsTheGrammar) {
  play([](ServedPair& pair) {
    pair.portal().open_context<&answers>([](auto& ctx, int first) {
      EXPECT_EQ(first, 1);
      ctx.open_stream([](ScriptStream& stream) {
        for (int i = 0; i < 3; ++i) {
          stream.send("line");
          EXPECT_EQ(stream.receive(), "line!");
        }
      });
    });
    EXPECT_EQ(pair.acceptor.sent(FrameKind::started), 1);
    EXPECT_EQ(pair.connector.sent(FrameKind::yield), 3);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::yield), 3);
    // STR-12: a stream that is left in order says so, once.
    EXPECT_EQ(pair.connector.sent(FrameKind::stop), 1);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::stop), 1);
    EXPECT_EQ(pair.connector.sent(FrameKind::cancel), 0);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::ret), 1);
  });
}

// STR-12: one that is left by an error does not say so: the cancellation does.
TEST(DialogTest, AnErrorInTheStreamSaysNoStop) {
  play([](ServedPair& pair) {
    const auto talk = [&] {
      pair.portal().open_context<&answers>([](auto& ctx, int) {
        ctx.open_stream([](ScriptStream&) { throw std::domain_error("lost the script"); });
      });
    };
    EXPECT_THROW(talk(), std::domain_error);
    EXPECT_EQ(pair.connector.sent(FrameKind::stop), 0);
    EXPECT_EQ(pair.connector.sent(FrameKind::cancel), 1);
  });
}

// A half close, then the rest: two stops, of which the second says more.
TEST(DialogTest, HalfAStreamCanBeClosedFirst) {
  play([](ServedPair& pair) {
    pair.portal().open_context<&listens>([&](auto& ctx, int) {
      ctx.open_stream([&](ScriptStream& stream) {
        stream.send("a");
        stream.close_send();
        stream.close_send();
        EXPECT_THROW(stream.send("b"), BrokenChannel);
        EXPECT_FALSE(stream.next());  // the callee's loop has ended, and left the stream
      });
    });
    EXPECT_EQ(seen.received, 1);
    EXPECT_EQ(pair.connector.sent(FrameKind::stop), 2);
  });
}

// STR-09: closing twice is closing once. STR-10: who has closed receives the end, and does not
// wait.
TEST(DialogTest, AClosedStreamHasEnded) {
  play([](ServedPair& pair) {
    pair.portal().open_context<&answers>([](auto& ctx, int) {
      ctx.open_stream([](ScriptStream& stream) {
        stream.close();
        stream.close();
        EXPECT_THROW(stream.receive(), EndOfChannel);
      });
    });
    EXPECT_EQ(pair.connector.sent(FrameKind::stop), 1);
  });
}

// The receiver is gone, and the credit that it had granted without a limit with it.
TEST(DialogTest, NobodyTalksForEverToWhomHasLeft) {
  play([](ServedPair& pair) {
    const auto talk = [&] {
      pair.portal().open_context<&talks_for_ever>([](auto& ctx, int) {
        ctx.open_stream(StreamOptions{.overrun = Overrun::drop_oldest, .buffer = 2},
                        [](ScriptStream& stream) {
                          stream.send("never read");
                          stream.receive();
                        });
      });
    };
    try {
      talk();
      ADD_FAILURE() << "no error";
    } catch (const RemoteActorError& error) {
      EXPECT_TRUE(error.is<BrokenChannel>()) << error.what();
    }
  });
}

// A window that is set when the stream is opened holds for what has come before, too.
TEST(DialogTest, DroppingStartsWithWhatHasComeAlready) {
  play([](ServedPair& pair) {
    const auto talk = [&] {
      pair.portal().open_context<&talks_for_ever>([&](auto& ctx, int) {
        wait_all_tasks_blocked();
        EXPECT_EQ(pair.acceptor.sent(FrameKind::yield), detail::default_window.messages);
        pair.network.hold(true);
        ctx.open_stream(StreamOptions{.overrun = Overrun::drop_oldest, .buffer = 3},
                        [](ScriptStream& stream) {
                          int count = 0;
                          while (stream.try_receive()) ++count;
                          EXPECT_EQ(count, 3);
                        });
        pair.network.hold(false);
      });
    };
    EXPECT_THROW(talk(), RemoteActorError);  // BrokenChannel, at the callee
  });
}

// CTX-01, CTX-02, and a context that never starts: the opener hears what the callee did wrong.
TEST(DialogTest, MisuseOfStartedIsTheCalleesError) {
  play([](ServedPair& pair) {
    const auto refused = [&](auto open) {
      try {
        open();
        ADD_FAILURE() << "no error";
      } catch (const RemoteActorError& error) {
        EXPECT_TRUE(error.is<UsageError>()) << error.what();
      }
    };
    const auto nothing = [](auto&, int) {};
    refused([&] { pair.portal().open_context<&starts_twice>(nothing); });
    refused([&] { pair.portal().open_context<&streams_before_started>(nothing); });
    refused([&] { pair.portal().open_context<&never_starts>(nothing); });
  });
}

// CTX-12: after its own cancel the opener cannot stream any more; the block ends quietly for all
// that.
TEST(DialogTest, OpeningAStreamAfterOnesOwnCancelEndsTheBlockQuietly) {
  play([](ServedPair& pair) {
    bool went_on = false;
    pair.portal().open_context<&serves_on>([&](auto& ctx, int) {
      ctx.cancel();
      EXPECT_TRUE(ctx.cancel_acked());
      try {
        ctx.open_stream([](ScriptStream&) {});
        went_on = true;
      } catch (const ContextCancelled& error) {
        EXPECT_EQ(error.canceller(), pair.connector.self());
        throw;
      }
    });
    EXPECT_FALSE(went_on);
  });
}

// CTX-04, CTX-09: cancelling a context that has ended is harmless.
TEST(DialogTest, CancellingAfterTheEndDoesNothing) {
  play([](ServedPair& pair) {
    pair.portal().open_context<&starts_and_returns>([&](auto& ctx, int) {
      wait_all_tasks_blocked();
      ctx.cancel();
      EXPECT_FALSE(ctx.cancel_called());
      ctx.result();
      ctx.open_stream([](ScriptStream& stream) { EXPECT_FALSE(stream.next()); });
    });
    EXPECT_EQ(pair.connector.sent(FrameKind::cancel), 0);
  });
}

// CTX-19: the canceller is the callee's own task.
TEST(DialogTest, ACalleeMayCancelItsOpener) {
  play([](ServedPair& pair) {
    try {
      pair.portal().open_context<&cancels_its_opener>([](auto&, int) { sleep_forever(); });
      ADD_FAILURE() << "no error";
    } catch (const ContextCancelled& error) {
      EXPECT_EQ(error.canceller(), pair.acceptor.self());
      EXPECT_NE(std::string(error.what()).find("its own task"), std::string::npos) << error.what();
    }
    EXPECT_EQ(pair.acceptor.sent(FrameKind::cancel), 1);
    EXPECT_EQ(pair.connector.sent(FrameKind::cancel_ack), 1);
  });
}

// ---- The end of the connection ----

class PeerDied : public Error {
 public:
  using Error::Error;
};

// Two tasks wait in one dialog when the connection ends; finding out what that means takes a while.
// Both are told the same, and neither takes it for an end in order.
TEST(DialogTest, AllWhoWaitAreToldWhatBecameOfThePeer) {
  play([](ServedPair& pair) {
    pair.to_acceptor->on_explain = [](std::exception_ptr) {
      CancelScope shield({.shield = true});
      shield.run([] { sleep(20ms); });
      return std::make_exception_ptr(PeerDied("killed by the test"));
    };
    int told = 0;
    const auto talk = [&] {
      pair.portal().open_context<&serves_on>([&](auto& ctx, int) {
        ctx.open_stream([&](ScriptStream& stream) {
          // Neither is cancelled by the other's error, nor by the end of the dialog.
          CancelScope shield({.shield = true});
          shield.run([&] {
            open_task_nursery([&](TaskNursery& n) {
              n.start_soon([&] {
                try {
                  stream.receive();
                } catch (const PeerDied&) {
                  ++told;
                }
              });
              n.start_soon([&] {
                try {
                  ctx.result();
                } catch (const PeerDied&) {
                  ++told;
                }
              });
              wait_all_tasks_blocked();
              pair.cut();
            });
          });
        });
      });
    };
    EXPECT_THROW(talk(), PeerDied);
    EXPECT_EQ(told, 2);
  });
}

TEST(DialogTest, ByeEndsDialogsAtBothEnds) {
  play([](ServedPair& pair) {
    const auto call = [&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { pair.portal().run<&waits>(); });
        wait_all_tasks_blocked();
        pair.acceptor.say_bye();
      });
    };
    EXPECT_THROW(call(), TransportClosed);
    wait_all_tasks_blocked();
    EXPECT_TRUE(seen.cancelled);
  });
}

}  // namespace
}  // namespace troupe

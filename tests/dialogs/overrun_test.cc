// SPDX-License-Identifier: Apache-2.0

// Senders that are faster than their receivers: by default they wait, and nothing is lost; other
// policies are chosen per stream.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using dialogs::error_of;
using dialogs::Lines;
using dialogs::note;
using dialogs::read_diary;
using dialogs::with_actor;
using troupe::Overrun;
using troupe::StreamOptions;

struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Stream = troupe::Stream<int, int>;

StreamOptions raising(std::size_t buffer) { return {.overrun = Overrun::raise, .buffer = buffer}; }

// How many values can be sent at once.
template <class End>
int send_all_at_once(End& end) {
  int sent = 0;
  while (end.try_send(sent)) ++sent;
  return sent;
}

// Answers slowly, with a buffer of one.
void slow_echo(troupe::Context<Numbers>& ctx) {
  ctx.started();
  ctx.open_stream(StreamOptions{.buffer = 1}, [](Stream& stream) {
    for (int value : stream) {
      troupe::sleep(1ms);
      stream.send(value);
    }
  });
}
// Says that its stream is open, does not receive before the gate opens, and allows for no overrun.
void raises(troupe::Context<Numbers>& ctx, int buffer) {
  ctx.started();
  ctx.open_stream(raising(static_cast<std::size_t>(buffer)), [](Stream& stream) {
    stream.send(-1);
    dialogs::gate().wait();
    for (int value : stream) stream.send(value);
  });
}
// Sends `count` values in one go when the first has come.
void bursts(troupe::Context<Numbers>& ctx, int count) {
  ctx.started();
  ctx.open_stream([&](Stream& stream) {
    stream.receive();
    for (int i = 0; i < count; ++i) stream.send(i);
    note("sent");
    static_cast<void>(stream.next());
  });
}
// Never opens its stream.
void opens_no_stream(troupe::Context<Numbers>& ctx) {
  ctx.started();
  dialogs::gate().wait();
}
void sends_for_ever(troupe::Context<Numbers>& ctx) {
  ctx.started();
  ctx.open_stream([](Stream& stream) {
    note(std::to_string(send_all_at_once(stream)));
    for (;;) stream.send(0);
  });
}
void sends_at_once(troupe::Sink<int> out) {
  note(std::to_string(send_all_at_once(out)));
  troupe::sleep_forever();
}
void sends_large_values_at_once(troupe::Sink<std::vector<char>> out) {
  const std::vector<char> large(1 << 20, 'x');
  int sent = 0;
  while (out.try_send(large)) ++sent;
  note(std::to_string(sent));
}
void counts(troupe::Sink<int> out, int count) {
  for (int i = 0; i < count; ++i) out.send(i);
  note("sent");
}
// Three tasks send as much as they can.
void sends_from_three_tasks(troupe::Sink<int> out) {
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (int who = 0; who < 3; ++who) {
      n.start_soon([out, who] {
        for (;;) out.send(who);
      });
    }
  });
}

inline const auto& senders =
    troupe::module<"senders", &slow_echo, &raises, &bursts, &opens_no_stream, &sends_for_ever,
                   &sends_at_once, &sends_large_values_at_once, &counts, &sends_from_three_tasks>;

// OVR-01: a slow callee with a buffer of one gets two bursts of ten; every echo arrives.
TEST(OverrunTest, ASlowCalleeLosesNothing) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&slow_echo>([](auto& ctx) {
      ctx.open_stream([](Stream& stream) {
        for (int burst = 0; burst < 2; ++burst) {
          for (int i = 0; i < 10; ++i) stream.send(i);
          for (int i = 0; i < 10; ++i) EXPECT_EQ(stream.receive(), i);
        }
      });
    });
  });
}

// OVR-02: the same with a slow opener.
TEST(OverrunTest, ASlowOpenerLosesNothing) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&bursts>(20, [](auto& ctx) {
      ctx.open_stream(StreamOptions{.buffer = 1}, [](Stream& stream) {
        stream.send(0);
        for (int i = 0; i < 20; ++i) {
          troupe::sleep(1ms);
          EXPECT_EQ(stream.receive(), i);
        }
      });
    });
  });
}

// OVR-03: a callee that allows no overruns fails, and the opener gets that.
// OVR-12: the error names the sender, the dialog and what to do.
TEST(OverrunTest, ACalleeMayRaise) {
  with_actor(senders, [](troupe::Portal& portal) {
    const auto error = error_of<troupe::RemoteActorError>([&] {
      portal.open_context<&raises>(4, [&](auto& ctx) {
        ctx.open_stream([&](Stream& stream) {
          EXPECT_EQ(stream.receive(), -1);
          for (int i = 0; i < 5; ++i) stream.send(i);
          portal.run<&dialogs::open_gate>();
          for (;;) stream.receive();
        });
      });
    });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<troupe::StreamOverrun>()) << error->what();
    for (const char* part : {"raises", "root", "buffer of 4", "Overrun::wait"}) {
      EXPECT_NE(error->boxed_message().find(part), std::string::npos) << error->what();
    }
  });
}

// A buffer that is just full is no overrun.
TEST(OverrunTest, AFullBufferIsNoOverrun) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&raises>(4, [&](auto& ctx) {
      ctx.open_stream([&](Stream& stream) {
        EXPECT_EQ(stream.receive(), -1);
        for (int i = 0; i < 4; ++i) stream.send(i);
        portal.run<&dialogs::open_gate>();
        for (int i = 0; i < 4; ++i) EXPECT_EQ(stream.receive(), i);
      });
    });
  });
}

// Lets a burst of five come to a buffer of four, and then calls `read(stream)`.
template <class Read>
void overrun_the_opener(troupe::Portal& portal, Read read) {
  portal.open_context<&bursts>(5, [&](auto& ctx) {
    ctx.open_stream(raising(4), [&](Stream& stream) {
      stream.send(0);
      EXPECT_EQ(portal.run<&read_diary>(1), Lines{"sent"});
      read(stream);
    });
  });
}

// OVR-04: an opener that allows none gets the error itself, when it has received the rest.
TEST(OverrunTest, AnOpenerMayRaise) {
  with_actor(senders, [](troupe::Portal& portal) {
    EXPECT_THROW(overrun_the_opener(portal,
                                    [](Stream& stream) {
                                      for (int i = 0;; ++i) EXPECT_EQ(stream.receive(), i);
                                    }),
                 troupe::StreamOverrun);
  });
}

// OVR-13: if it leaves without having received that much, it is no error.
TEST(OverrunTest, AnOverrunThatNobodyReadsIsNoError) {
  with_actor(senders, [](troupe::Portal& portal) {
    overrun_the_opener(portal, [](Stream& stream) { EXPECT_EQ(stream.receive(), 0); });
  });
}

// OVR-05: where neither side allows overruns, either may be the one that fails.
TEST(OverrunTest, BothMayRaise) {
  with_actor(senders, [](troupe::Portal& portal) {
    bool overrun = false;
    try {
      portal.open_context<&raises>(1, [&](auto& ctx) {
        ctx.open_stream(raising(1), [&](Stream& stream) {
          EXPECT_EQ(stream.receive(), -1);
          for (int i = 0; i < 10; ++i) stream.send(i);
          portal.run<&dialogs::open_gate>();
          for (;;) stream.receive();
        });
      });
    } catch (const troupe::StreamOverrun&) {
      overrun = true;
    } catch (const troupe::RemoteActorError& error) {
      overrun = error.is<troupe::StreamOverrun>();
    }
    EXPECT_TRUE(overrun);
  });
}

// OVR-06: a cancel in the middle is a cancel, and no overrun.
TEST(OverrunTest, ACancelInTheMiddle) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&slow_echo>([](auto& ctx) {
      ctx.open_stream([&](Stream& stream) {
        for (int i = 0; i < 10; ++i) stream.send(i);
        ctx.cancel();
      });
      const auto error = error_of<troupe::ContextCancelled>([&] { ctx.result(); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->canceller(), troupe::current_actor().uid());
    });
  });
}

// OVR-07: the buffer that is asked for is the one in force, and bounds what is under way.
TEST(OverrunTest, TheBufferBoundsWhatIsSent) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_stream<&sends_at_once>(StreamOptions{.buffer = 3}, [&](auto& stream) {
      EXPECT_EQ(portal.run<&read_diary>(1), Lines{"3"});
      for (int i = 0; i < 3; ++i) EXPECT_EQ(stream.receive(), i);
    });
  });
}

// Large values are bounded by their octets: the last may go beyond them.
TEST(OverrunTest, LargeValuesAreBoundedByTheirOctets) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_stream<&sends_large_values_at_once>([](auto& stream) {
      int received = 0;
      for ([[maybe_unused]] const std::vector<char>& value : stream) ++received;
      EXPECT_EQ(received, 3);  // the third overdraws the window of 2.5 MiB
    });
  });
}

// CTX-20: an opener that sends to a callee which never opens its stream fills a bounded buffer, and
// then waits. (By default nothing is overrun.)
TEST(OverrunTest, SendingWhereNoStreamIsOpenIsBounded) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&opens_no_stream>([&](auto& ctx) {
      ctx.open_stream([&](Stream& stream) {
        EXPECT_EQ(send_all_at_once(stream), 16'384);
        EXPECT_FALSE(troupe::move_on_after(5ms, [&] { stream.send(0); }));
        EXPECT_THROW(stream.send_nowait(0), troupe::WouldBlock);
      });
      portal.run<&dialogs::open_gate>();
      ctx.result();
    });
  });
}

// CTX-21: the same with a callee that sends for ever to an opener without a stream, which can
// cancel it, or leave.
TEST(OverrunTest, ACalleeThatSendsForEverIsBounded) {
  with_actor(senders, [](troupe::Portal& portal) {
    portal.open_context<&sends_for_ever>([&](auto& ctx) {
      EXPECT_EQ(portal.run<&read_diary>(1), Lines{"16384"});
      ctx.cancel();
    });
    const auto error = error_of<troupe::RemoteActorError>([&] {
      portal.open_context<&sends_for_ever>(
          [&](auto&) { static_cast<void>(portal.run<&read_diary>(2)); });
    });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<troupe::BrokenChannel>()) << error->what();
  });
}

// OVR-10: nothing is lost in silence, however small the buffer.
TEST(OverrunTest, NothingIsLost) {
  with_actor(senders, [](troupe::Portal& portal) {
    for (const std::size_t buffer : {1u, 2u, 7u, 100'000u}) {
      portal.open_stream<&counts>(StreamOptions{.buffer = buffer}, 1000, [](auto& stream) {
        int expected = 0;
        for (int value : stream) EXPECT_EQ(value, expected++);
        EXPECT_EQ(expected, 1000);
      });
    }
  });
}

// Who asks for the newest values only gets those.
TEST(OverrunTest, DropOldest) {
  with_actor(senders, [](troupe::Portal& portal) {
    const StreamOptions newest{.overrun = Overrun::drop_oldest, .buffer = 4};
    portal.open_stream<&counts>(newest, 10'000, [&](auto& stream) {
      static_cast<void>(portal.run<&read_diary>(1));
      std::vector<int> values;
      for (int value : stream) values.push_back(value);
      EXPECT_EQ(values, (std::vector<int>{9996, 9997, 9998, 9999}));
    });
  });
}

// Several senders of one stream take turns, also where only one value may be under way.
TEST(OverrunTest, SendersTakeTurns) {
  with_actor(senders, [](troupe::Portal& portal) {
    for (const std::size_t buffer : {1u, 4u}) {
      portal.open_stream<&sends_from_three_tasks>(
          StreamOptions{.buffer = buffer}, [](troupe::ReceiveStream<int>& stream) {
            std::array<int, 3> received{};
            for (int i = 0; i < 300; ++i) ++received.at(static_cast<std::size_t>(stream.receive()));
            for (int count : received) EXPECT_GE(count, 50);
          });
    }
  });
}

}  // namespace

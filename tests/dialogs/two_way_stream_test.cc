// SPDX-License-Identifier: Apache-2.0

// The stream of a context: both directions, its end, and what may still be under way then.

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/ipc/connection.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

struct PingPong {
  using Started = void;
  using ToCallee = std::string;
  using ToCaller = std::string;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Strings = troupe::Stream<std::string, std::string>;
using Ints = troupe::Stream<int, int>;

// Answers each ping with a pong, and returns how many there were.
int pongs(troupe::Context<PingPong>& ctx, bool by_iteration) {
  ctx.started();
  int pings = 0;
  const auto answer = [&](Strings& stream, const std::string& message) {
    pings += message == "ping" ? 1 : 0;
    stream.send("pong");
  };
  ctx.open_stream([&](Strings& stream) {
    if (by_iteration) {
      for (const std::string& message : stream) answer(stream, message);
    } else {
      for (;;) answer(stream, stream.receive());
    }
  });
  return pings;
}
void echoes(troupe::Context<Numbers>& ctx) {
  const NotesItsEnd end("echo ended");
  ctx.started();
  ctx.open_stream([](Ints& stream) {
    for (int value : stream) stream.send(value);
  });
  note("in order");
}
// Adds up what comes, and sends the sum when nothing more does.
void sums_up(troupe::Context<Numbers>& ctx) {
  ctx.started();
  ctx.open_stream([](Ints& stream) {
    int sum = 0;
    for (int value : stream) sum += value;
    stream.send(sum);
  });
}
// Two tasks read one stream to its end.
int reads_in_two_tasks(troupe::Context<Numbers>& ctx) {
  ctx.started();
  int received = 0;
  ctx.open_stream([&](Ints& stream) {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 2; ++i) {
        n.start_soon([&] {
          for (;;) {
            stream.receive();
            ++received;
          }
        });
      }
    });
  });
  note("in order");
  return received;
}
int counts(troupe::Context<Numbers>& ctx) {
  ctx.started();
  int received = 0;
  ctx.open_stream([&](Ints& stream) {
    for ([[maybe_unused]] int value : stream) ++received;
  });
  return received;
}
void numbers(troupe::Sink<int> out) {
  for (int i = 0;; ++i) out.send(i);
}

inline const auto& streams =
    troupe::module<"streams", &pongs, &echoes, &sums_up, &reads_in_two_tasks, &counts, &numbers>;

// STR-01: ten pings and pongs, by iteration or by `receive` on either side; then the opener stops,
// and the callee's loop ends in order, having counted ten.
// STR-13: an EndOfChannel that leaves the block of the stream is its end, and the code behind runs.
TEST(TwoWayStreamTest, PingPong) {
  with_actor(streams, [](troupe::Portal& portal) {
    for (const bool callee_iterates : {true, false}) {
      EXPECT_EQ(portal.open_context<&pongs>(callee_iterates,
                                            [](auto& ctx) {
                                              ctx.open_stream([](Strings& stream) {
                                                for (int i = 0; i < 10; ++i) {
                                                  stream.send("ping");
                                                  EXPECT_EQ(stream.receive(), "pong");
                                                }
                                              });
                                              return ctx.result();
                                            }),
                10);
      EXPECT_EQ(portal.open_context<&pongs>(callee_iterates,
                                            [](auto& ctx) {
                                              ctx.open_stream([](Strings& stream) {
                                                int received = 0;
                                                stream.send("ping");
                                                for (const std::string& message : stream) {
                                                  EXPECT_EQ(message, "pong");
                                                  if (++received == 10) break;
                                                  stream.send("ping");
                                                }
                                              });
                                              return ctx.result();
                                            }),
                10);
    }
  });
}

// STR-02: an opener that leaves with pongs under way: they vanish without a word, at both sides.
TEST(TwoWayStreamTest, WhatIsUnderWayAtTheLeaveVanishes) {
  with_actor(streams, [](troupe::Portal& portal) {
    for (int round = 0; round < 20; ++round) {
      EXPECT_EQ(portal.open_context<&pongs>(true,
                                            [](auto& ctx) {
                                              ctx.open_stream([](Strings& stream) {
                                                for (int i = 0; i < 11; ++i) stream.send("ping");
                                                stream.receive();
                                              });
                                              return ctx.result();
                                            }),
                11);
    }
  });
}

// Either side may say that it has sent its last, and go on receiving.
TEST(TwoWayStreamTest, HalfClose) {
  with_actor(streams, [](troupe::Portal& portal) {
    portal.open_context<&sums_up>([](auto& ctx) {
      ctx.open_stream([](Ints& stream) {
        for (int i = 1; i <= 100; ++i) stream.send(i);
        stream.close_send();
        stream.close_send();
        EXPECT_THROW(stream.send(1), troupe::BrokenChannel);
        EXPECT_EQ(stream.receive(), 5050);
        EXPECT_FALSE(stream.next());
      });
    });
  });
}

// STR-08: the end of the stream in several tasks at once is an end in order all the same.
TEST(TwoWayStreamTest, TheEndInSeveralTasksIsOneEnd) {
  with_actor(streams, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.open_context<&reads_in_two_tasks>([](auto& ctx) {
      ctx.open_stream([](Ints& stream) {
        for (int i = 0; i < 5; ++i) stream.send(i);
      });
      return ctx.result();
    }),
              5);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"in order"});
  });
}

// STR-09: to close a stream twice, or to leave it when it is closed, is to close it once: a second
// stop would end the connection.
// STR-10: who has closed the stream reads what has come, and then the end, not an endless wait.
TEST(TwoWayStreamTest, ClosedHere) {
  with_actor(streams, [](troupe::Portal& portal) {
    portal.open_context<&echoes>([&](auto& ctx) {
      ctx.open_stream([&](Ints& stream) {
        stream.send(1);
        EXPECT_EQ(stream.receive(), 1);
        stream.close();
        stream.close();
        EXPECT_THROW(stream.receive(), troupe::EndOfChannel);
        EXPECT_THROW(stream.receive_nowait(), troupe::EndOfChannel);
        EXPECT_FALSE(stream.next());
        EXPECT_THROW(stream.send(2), troupe::BrokenChannel);
        EXPECT_EQ(portal.run<&read_diary>(2), (Lines{"in order", "echo ended"}));
      });
    });
    EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
  });
}

TEST(TwoWayStreamTest, ReceiveNowait) {
  with_actor(streams, [](troupe::Portal& portal) {
    portal.open_context<&echoes>([&](auto& ctx) {
      ctx.open_stream([&](Ints& stream) {
        EXPECT_THROW(stream.receive_nowait(), troupe::WouldBlock);
        EXPECT_FALSE(stream.try_receive());
        stream.send_nowait(1);
        stream.send_nowait(2);
        EXPECT_EQ(stream.receive(), 1);
        portal.run<&dialogs::own_name>();  // the answer comes after the second value
        EXPECT_EQ(stream.receive_nowait(), 2);
      });
    });
  });
}

// STR-14: contexts, streams and calls to one actor at once go over one connection, and none gets
// what is another's.
TEST(TwoWayStreamTest, ManyDialogsShareOneConnection) {
  with_actor(streams, [](troupe::Portal& portal) {
    const auto connections = [] { return troupe::Actor::booted().transport().connections(); };
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 10; ++i) {
        n.start_soon([&, i] {
          portal.open_context<&echoes>([&](auto& ctx) {
            ctx.open_stream([&](Ints& stream) {
              for (int k = 0; k < 100; ++k) {
                stream.send(1000 * i + k);
                EXPECT_EQ(stream.receive(), 1000 * i + k);
              }
              EXPECT_EQ(connections().size(), 1u);
            });
          });
        });
        n.start_soon([&] {
          portal.open_stream<&numbers>([](troupe::ReceiveStream<int>& stream) {
            for (int k = 0; k < 100; ++k) EXPECT_EQ(stream.receive(), k);
          });
        });
        n.start_soon([&] { EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee"); });
      }
    });
    EXPECT_EQ(connections().at(0)->statistics().open_dialogs, 0u);
  });
}

// STR-05: with streams of both kinds open to one actor, an error of the root comes out bare.
TEST(TwoWayStreamTest, AnErrorAboveBothKindsOfStreamsIsBare) {
  EXPECT_THROW(with_actor(streams,
                          [](troupe::Portal& portal) {
                            troupe::open_task_nursery([&](troupe::TaskNursery& n) {
                              n.start_soon([&portal] {
                                portal.open_stream<&numbers>([](troupe::ReceiveStream<int>& all) {
                                  for ([[maybe_unused]] int number : all) {
                                  }
                                });
                              });
                              portal.open_context<&echoes>([](auto& ctx) {
                                ctx.open_stream([](Ints& stream) {
                                  for (int i = 0; i < 1000; ++i) {
                                    stream.send(i);
                                    EXPECT_EQ(stream.receive(), i);
                                  }
                                  throw std::out_of_range("the root's");
                                });
                              });
                            });
                          }),
               std::out_of_range);
}

// A time limit inside of the context breaks off the stream: the other side's loop ends, and the
// context goes on.
TEST(TwoWayStreamTest, AStreamThatIsBrokenOffIsLeft) {
  with_actor(streams, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.open_context<&counts>([](auto& ctx) {
      EXPECT_FALSE(troupe::move_on_after(10ms, [&] {
        ctx.open_stream([](Ints& stream) {
          stream.send(1);
          stream.receive();
        });
      }));
      return ctx.result();
    }),
              1);
    EXPECT_EQ(portal.open_context<&counts>([](auto& ctx) {
      EXPECT_THROW(ctx.open_stream([](Ints& stream) {
        stream.send(1);
        throw std::out_of_range("mine");
      }),
                   std::out_of_range);
      return ctx.result();
    }),
              1);
  });
}

}  // namespace

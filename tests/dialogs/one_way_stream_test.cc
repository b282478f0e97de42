// SPDX-License-Identifier: Apache-2.0

// One-way streams: who ends them, and what is left of the function then.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/merge.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;
using troupe::ReceiveStream;

// Sends 0..9 and then sleeps.
void sends_ten(troupe::Sink<int> out) {
  const NotesItsEnd end("producer ended");
  for (int i = 0; i < 10; ++i) out.send(i);
  troupe::sleep_forever();
}
void counts(troupe::Sink<int> out, int count) {
  for (int i = 0; i < count; ++i) out.send(i);
}
void counts_for_ever(troupe::Sink<int> out) {
  const NotesItsEnd end("producer ended");
  for (int i = 0;; ++i) out.send(i);
}
void fails_after_one(troupe::Sink<int> out) {
  const NotesItsEnd end("failed");
  out.send(1);
  throw std::out_of_range("no more");
}
// Counts in two actors of its own, and sends each number once.
void aggregates(troupe::Sink<int> out, int count);

// A copy of the sink, in a task that outlives the function.
std::optional<troupe::Sink<int>>& kept_sink() {
  static std::optional<troupe::Sink<int>> sink;
  return sink;
}
void gives_its_sink_away(troupe::Sink<int> out) {
  out.send(1);
  kept_sink() = out;
}
bool kept_sink_is_broken() {
  try {
    kept_sink()->send(2);
    return false;
  } catch (const troupe::BrokenChannel&) {
    return true;
  }
}
// Sends in the kept sink while the stream is open, and says how that ended.
std::string sends_to_the_kept_sink() {
  while (!kept_sink()) troupe::checkpoint();
  try {
    note("sends");
    for (;;) kept_sink()->send(3);
  } catch (const troupe::BrokenChannel&) {
    return "broken";
  }
}
void gives_its_sink_away_and_waits(troupe::Sink<int> out) {
  kept_sink() = out;
  dialogs::gate().wait();
}
void sends_boxes(troupe::Sink<std::vector<std::unique_ptr<int>>> out) {
  for (int i = 0; i < 3; ++i) {
    std::vector<std::unique_ptr<int>> boxes;
    boxes.push_back(std::make_unique<int>(i));
    out.send(std::move(boxes));
  }
}

inline const auto& producers =
    troupe::module<"producers", &sends_ten, &counts, &counts_for_ever, &fails_after_one,
                   &aggregates, &gives_its_sink_away, &kept_sink_is_broken, &sends_to_the_kept_sink,
                   &gives_its_sink_away_and_waits, &sends_boxes>;

void aggregates(troupe::Sink<int> out, int count) {
  const NotesItsEnd end("aggregator ended");
  std::set<int> seen;
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto [send, receive] = troupe::open_memory_channel<int>(100);
    for (const char* name : {"streamer-1", "streamer-2"}) {
      troupe::Portal streamer = dialogs::start(n, name, producers);
      n.start_soon([send = send.clone(), streamer, count] {
        streamer.open_stream<&counts>(count, [&](auto& numbers) {
          for (int number : numbers) send.send(number);
        });
      });
    }
    send.close();
    for (int number : receive) {
      if (seen.insert(number).second) out.send(number);
    }
    n.cancel();
  });
}

// ONE-02: ten values in order; the consumer closes after the last, the producer is cancelled where
// it sleeps, and the next `receive` is the end.
TEST(OneWayStreamTest, TheConsumerCloses) {
  with_actor(producers, [](troupe::Portal& portal) {
    portal.open_stream<&sends_ten>([&](ReceiveStream<int>& stream) {
      for (int i = 0; i < 10; ++i) EXPECT_EQ(stream.receive(), i);
      stream.close();
      stream.close();
      EXPECT_EQ(portal.run<&read_diary>(1), Lines{"producer ended"});
      EXPECT_FALSE(stream.next());
      EXPECT_THROW(stream.receive(), troupe::EndOfChannel);
    });
  });
}

// ONE-03: two streamers, an actor that sends each of their numbers once, and the root: it gets all
// numbers, in order.
TEST(OneWayStreamTest, FourActors) {
  with_actor(producers, [](troupe::Portal& portal) {
    int expected = 0;
    portal.open_stream<&aggregates>(1000, [&](ReceiveStream<int>& numbers) {
      for (int number : numbers) EXPECT_EQ(number, expected++);
    });
    EXPECT_EQ(expected, 1000);
    EXPECT_FALSE(troupe::find_actor("streamer-1"));
    EXPECT_FALSE(troupe::find_actor("streamer-2"));
  });
}

// ONE-04: the same, cancelled in the middle: there is no result, and the inner actors end.
TEST(OneWayStreamTest, FourActorsCancelledInTheMiddle) {
  with_actor(producers, [](troupe::Portal& portal) {
    std::optional<int> result;
    troupe::CancelScope scope;
    scope.run([&] {
      result = portal.open_stream<&aggregates>(1'000'000, [&](ReceiveStream<int>& numbers) {
        int received = 0;
        for ([[maybe_unused]] int number : numbers) {
          if (++received == 100) scope.cancel();
        }
        return received;
      });
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_FALSE(result);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"aggregator ended"});
    EXPECT_FALSE(troupe::find_actor("streamer-1"));
    EXPECT_FALSE(troupe::find_actor("streamer-2"));
  });
}

// ONE-08: leaving the block by break, by return or by an error cancels the function, which has
// ended when the block is left.
TEST(OneWayStreamTest, TheFunctionDoesNotOutliveTheBlock) {
  with_actor(producers, [](troupe::Portal& portal) {
    portal.open_stream<&counts_for_ever>([](ReceiveStream<int>& numbers) {
      for (int number : numbers) {
        if (number == 10) break;
      }
    });
    EXPECT_EQ(portal.run<&read_diary>(0).size(), 1u);
    EXPECT_EQ(portal.open_stream<&counts_for_ever>([](auto& numbers) { return numbers.receive(); }),
              0);
    EXPECT_EQ(portal.run<&read_diary>(0).size(), 2u);
    EXPECT_THROW(
        portal.open_stream<&counts_for_ever>([](auto&) { throw std::out_of_range("mine"); }),
        std::out_of_range);
    EXPECT_EQ(portal.run<&read_diary>(0).size(), 3u);
  });
}

// ONE-09: when the whole actor is ended from here, its open streams just end.
TEST(OneWayStreamTest, EndingTheActorEndsItsStreams) {
  dialogs::in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = dialogs::start(n, "callee", producers);
    portal.open_stream<&counts_for_ever>([&](ReceiveStream<int>& numbers) {
      EXPECT_EQ(numbers.receive(), 0);
      EXPECT_TRUE(portal.cancel_actor());
      for ([[maybe_unused]] int number : numbers) {
      }
      ADD_FAILURE() << "a loop that was cut off has no end in order";
    });
  });
}

// An error of the function is raised after its last value, in the loop; who catches it there has
// dealt with it. It is raised again each time that somebody looks.
TEST(OneWayStreamTest, AnErrorIsRaisedInTheLoop) {
  with_actor(producers, [](troupe::Portal& portal) {
    int received = 0;
    portal.open_stream<&fails_after_one>([&](ReceiveStream<int>& stream) {
      EXPECT_THROW(
          {
            for (int value : stream) received += value;
          },
          troupe::RemoteActorError);
      EXPECT_THROW(stream.next(), troupe::RemoteActorError);
      EXPECT_THROW(stream.receive_nowait(), troupe::RemoteActorError);
    });
    EXPECT_EQ(received, 1);
  });
}

// An error that the body has not come to is raised at the end of the block, if the function had it
// before it was cancelled.
TEST(OneWayStreamTest, AnUnreadErrorIsRaisedAtTheEnd) {
  with_actor(producers, [](troupe::Portal& portal) {
    const auto error = error_of<troupe::RemoteActorError>([&] {
      portal.open_stream<&fails_after_one>([&](ReceiveStream<int>& stream) {
        EXPECT_EQ(stream.receive(), 1);
        EXPECT_EQ(portal.run<&read_diary>(1), Lines{"failed"});
      });
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->boxed_message(), "no more");
  });
}

// A stream function can be called in its own process, with a channel's end in the place of the
// sink.
TEST(OneWayStreamTest, AChannelStandsForASink) {
  troupe::open_root_actor({}, [] {
    auto [send, receive] = troupe::open_memory_channel<int>(10);
    counts(std::move(send), 3);
    int expected = 0;
    for (int value : receive) EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, 3);
  });
}

// A copy of a sink may outlive its function, and then is of no more use; also in the hands of a
// task that is in the middle of sending.
TEST(OneWayStreamTest, ASinkMayOutliveItsFunction) {
  with_actor(producers, [](troupe::Portal& portal) {
    portal.open_stream<&gives_its_sink_away>([](ReceiveStream<int>& stream) {
      EXPECT_EQ(stream.receive(), 1);
      EXPECT_FALSE(stream.next());
    });
    EXPECT_TRUE(portal.run<&kept_sink_is_broken>());
  });
  with_actor(producers, [](troupe::Portal& portal) {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] { EXPECT_EQ(portal.run<&sends_to_the_kept_sink>(), "broken"); });
      portal.open_stream<&gives_its_sink_away_and_waits>(troupe::StreamOptions{.buffer = 1},
                                                         [&](ReceiveStream<int>& stream) {
                                                           EXPECT_EQ(stream.receive(), 3);
                                                           portal.run<&dialogs::open_gate>();
                                                         });
    });
  });
}

// Values that cannot be copied are moved.
TEST(OneWayStreamTest, ValuesNeedNoCopies) {
  with_actor(producers, [](troupe::Portal& portal) {
    portal.open_stream<&sends_boxes>([](auto& stream) {
      int expected = 0;
      for (const auto& boxes : stream) EXPECT_EQ(*boxes.at(0), expected++);
      EXPECT_EQ(expected, 3);
    });
  });
}

// Several streams as one, and a stream with a channel.
TEST(OneWayStreamTest, Merge) {
  with_actor(producers, [](troupe::Portal& portal) {
    portal.open_stream<&counts>(100, [&](ReceiveStream<int>& one) {
      portal.open_stream<&counts>(50, [&](ReceiveStream<int>& two) {
        int sum = 0;
        int received = 0;
        for (int value : troupe::merge(one, two)) {
          sum += value;
          ++received;
        }
        EXPECT_EQ(received, 150);
        EXPECT_EQ(sum, 99 * 100 / 2 + 49 * 50 / 2);
      });
    });
    EXPECT_THROW(portal.open_stream<&fails_after_one>([&](ReceiveStream<int>& failing) {
      portal.open_stream<&sends_ten>([&](ReceiveStream<int>& other) {
        for ([[maybe_unused]] int value : troupe::merge(failing, other)) {
        }
      });
    }),
                 troupe::RemoteActorError);
  });
}

}  // namespace

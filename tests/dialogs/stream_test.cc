// SPDX-License-Identifier: Apache-2.0

// One-way streams between processes.

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

void count_to(troupe::Sink<int> out, int end) {
  for (int i = 0; i < end; ++i) out.send(i);
}
void count_for_ever(troupe::Sink<int> out) {
  for (int i = 0;; ++i) out.send(i);
}
void count_then_throw(troupe::Sink<int> out, int end) {
  count_to(out, end);
  throw std::out_of_range("no more numbers");
}
void bubbles(troupe::Sink<std::string> out) {
  for (;;) {
    out.send("bubbles");
    troupe::sleep(1ms);
  }
}
void large_values(troupe::Sink<std::vector<char>> out, int count, std::size_t size) {
  for (int i = 0; i < count; ++i) out.send(std::vector<char>(size, static_cast<char>('a' + i)));
}

inline const auto& numbers = troupe::module<"numbers", &count_to, &count_for_ever,
                                            &count_then_throw, &bubbles, &large_values>;

// Runs `body(portal)` with an actor that exposes the streams above.
template <class Body>
void with_streamer(Body body) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal portal = n.start_actor("streamer", {.enable_modules = {numbers}});
      body(portal);
      portal.cancel_actor();
    });
  });
}

TEST(StreamTest, DeliversEveryValueInOrderAndEnds) {
  with_streamer([](troupe::Portal& portal) {
    const int count = portal.open_stream<&count_to>(10'000, [](troupe::ReceiveStream<int>& values) {
      int expected = 0;
      for (int value : values) EXPECT_EQ(value, expected++);
      EXPECT_THROW(values.receive(), troupe::EndOfChannel);
      return expected;
    });
    EXPECT_EQ(count, 10'000);
  });
}

TEST(StreamTest, LeavingTheBlockCancelsTheFunction) {
  with_streamer([](troupe::Portal& portal) {
    for (int round = 0; round < 20; ++round) {
      portal.open_stream<&count_for_ever>([](troupe::ReceiveStream<int>& values) {
        for (int value : values) {
          if (value == 100) break;
        }
      });
    }
  });
}

TEST(StreamTest, RaisesTheFunctionsErrorAfterItsLastValue) {
  with_streamer([](troupe::Portal& portal) {
    int received = 0;
    try {
      portal.open_stream<&count_then_throw>(7, [&](troupe::ReceiveStream<int>& values) {
        for ([[maybe_unused]] int value : values) ++received;
      });
      ADD_FAILURE() << "no error";
    } catch (const troupe::RemoteActorError& error) {
      EXPECT_TRUE(error.is<std::out_of_range>());
    }
    EXPECT_EQ(received, 7);
  });
}

TEST(StreamTest, CancellingTheReceiverEndsTheStream) {
  with_streamer([](troupe::Portal& portal) {
    const auto done = troupe::move_on_after(20ms, [&] {
      portal.open_stream<&bubbles>([](troupe::ReceiveStream<std::string>& letters) {
        for (const std::string& letter : letters) EXPECT_EQ(letter, "bubbles");
      });
    });
    EXPECT_TRUE(done.cancelled_caught());
  });
}

TEST(StreamTest, CarriesLargeValues) {
  with_streamer([](troupe::Portal& portal) {
    portal.open_stream<&large_values>(5, std::size_t{3} << 20,
                                      [](troupe::ReceiveStream<std::vector<char>>& values) {
                                        char expected = 'a';
                                        for (const std::vector<char>& value : values) {
                                          EXPECT_EQ(value.size(), std::size_t{3} << 20);
                                          EXPECT_EQ(value.back(), expected++);
                                        }
                                        EXPECT_EQ(expected, 'f');
                                      });
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// One-way streams over two sessions face to face: credit, overruns, and who is told of the end. In
// virtual time, where everything that is queued has arrived once all tasks wait.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/log_catcher.h"
#include "troupe/tests/rpc/dialog_pair.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::LogCatcher;
using testing::ServedPair;
using testing::wait_all_tasks_blocked;
using testing::with_pair;

// What functions note for the tests, which run in the same process.
struct Seen {
  int sent = 0;
  bool broken = false;
  int losses = 0;
  std::vector<Sink<int>> sinks;
};
Seen seen;

void count_to(Sink<int> out, int end) {
  for (int i = 0; i < end; ++i) {
    out.send(i);
    ++seen.sent;
  }
}
void large(Sink<std::string> out, int count, std::size_t size) {
  for (int i = 0; i < count; ++i) {
    out.send(std::string(size, 'x'));
    ++seen.sent;
  }
}
void large_later(Sink<std::string> out, int count, std::size_t size) {
  sleep(1ms);
  large(out, count, size);
}
void counts_and_stays(Sink<int> out, int end) {
  count_to(out, end);
  sleep_forever();
}
void sends_on_after_a_loss(Sink<int> out) {
  while (seen.losses < 2) {
    try {
      out.send(0);
    } catch (const TransportClosed&) {
      ++seen.losses;
    }
  }
  sleep_forever();
}
void lends_its_sink(Sink<int> out) {
  seen.sinks.push_back(out);
  sleep_forever();
}

const Module sources = functions<&count_to, &large, &large_later, &counts_and_stays,
                                 &sends_on_after_a_loss, &lends_its_sink>();

// Runs `body(pair)` with nothing noted yet.
void play(const std::function<void(ServedPair&)>& body) {
  seen = {};
  with_pair(sources, body);
  seen = {};
}

TEST(DialogStreamTest, TheReceiverGrantsWhatTheSenderMaySend) {
  play([](ServedPair& pair) {
    pair.portal().open_stream<&count_to>(
        StreamOptions{.buffer = 3}, 100, [&](ReceiveStream<int>& values) {
          wait_all_tasks_blocked();
          EXPECT_EQ(pair.acceptor.sent(FrameKind::yield), 3);
          EXPECT_EQ(values.receive(), 0);
          wait_all_tasks_blocked();
          EXPECT_EQ(pair.connector.sent(FrameKind::credit), 0);  // not yet worth a frame
          EXPECT_EQ(values.receive(), 1);
          wait_all_tasks_blocked();
          EXPECT_EQ(pair.connector.sent(FrameKind::credit), 1);
          EXPECT_EQ(pair.acceptor.sent(FrameKind::yield), 5);
        });
  });
}

TEST(DialogStreamTest, GrantsComeInLargeParts) {
  play([](ServedPair& pair) {
    pair.portal().open_stream<&count_to>(40'000, [](ReceiveStream<int>& values) {
      int expected = 0;
      for (const int value : values) ASSERT_EQ(value, expected++);
      EXPECT_EQ(expected, 40'000);
    });
    // 8,192 each; the last is not worth sending if the end has come by then.
    EXPECT_GE(pair.connector.sent(FrameKind::credit), 3);
    EXPECT_LE(pair.connector.sent(FrameKind::credit), 4);
    EXPECT_EQ(pair.acceptor.sent(FrameKind::stop), 0);  // the return says it
    EXPECT_EQ(pair.connector.sent(FrameKind::stop), 0);
  });
}

// The octets of values count as well: three of 1 MiB fill the window, the third overdraws it.
TEST(DialogStreamTest, LargeValuesWaitForCreditInOctets) {
  play([](ServedPair& pair) {
    pair.portal().open_stream<&large>(4, std::size_t{1} << 20,
                                      [&](ReceiveStream<std::string>& values) {
                                        wait_all_tasks_blocked();
                                        EXPECT_EQ(pair.acceptor.sent(FrameKind::yield), 3);
                                        int count = 0;
                                        for (const std::string& value : values)
                                          count += value.size() == 1u << 20 ? 1 : 0;
                                        EXPECT_EQ(count, 4);
                                      });
  });
}

// Without a limit (the receiver drops) the queue towards the network still has one, of 1 MiB.
TEST(DialogStreamTest, ASenderWithoutALimitWaitsForTheNetwork) {
  play([](ServedPair& pair) {
    constexpr std::size_t size = 32 * 1024;
    pair.portal().open_stream<&large_later>(
        StreamOptions{.overrun = Overrun::drop_oldest, .buffer = 2}, 200, size,
        [&](ReceiveStream<std::string>& values) {
          wait_all_tasks_blocked();
          pair.network.hold(true);
          sleep(2ms);
          wait_all_tasks_blocked();
          EXPECT_EQ(seen.sent, 32);
          pair.network.hold(false);
          wait_all_tasks_blocked();
          EXPECT_EQ(seen.sent, 200);
          int left = 0;
          for ([[maybe_unused]] const std::string& value : values) ++left;
          EXPECT_EQ(left, 2);
        });
  });
}

TEST(DialogStreamTest, DroppingKeepsTheNewest) {
  play([](ServedPair& pair) {
    pair.portal().open_stream<&count_to>(
        StreamOptions{.overrun = Overrun::drop_oldest, .buffer = 2}, 100,
        [](ReceiveStream<int>& values) {
          wait_all_tasks_blocked();
          std::vector<int> got;
          for (const int value : values) got.push_back(value);
          EXPECT_EQ(got, (std::vector<int>{98, 99}));
        });
  });
}

// OVR-12: the error says who sent too much, in which dialog.
TEST(DialogStreamTest, RaisingComesAfterWhatFitsInTheBuffer) {
  play([](ServedPair& pair) {
    std::vector<int> got;
    const auto receive = [&] {
      pair.portal().open_stream<&count_to>(StreamOptions{.overrun = Overrun::raise, .buffer = 2},
                                           100, [&](ReceiveStream<int>& values) {
                                             wait_all_tasks_blocked();
                                             for (const int value : values) got.push_back(value);
                                           });
    };
    try {
      receive();
      ADD_FAILURE() << "no error";
    } catch (const StreamOverrun& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find("count_to"), std::string::npos) << what;
      EXPECT_NE(what.find(pair.acceptor.self().to_string()), std::string::npos) << what;
    }
    EXPECT_EQ(got, (std::vector<int>{0, 1}));
  });
}

// An overrun is not hidden by what the dialog then ends with.
TEST(DialogStreamTest, TheEndOfTheDialogDoesNotReplaceAnErrorOfTheStream) {
  play([](ServedPair& pair) {
    const auto receive = [&] {
      pair.portal().open_stream<&counts_and_stays>(
          StreamOptions{.overrun = Overrun::raise, .buffer = 1}, 100,
          [&](ReceiveStream<int>& values) {
            wait_all_tasks_blocked();
            pair.cut();
            EXPECT_EQ(values.receive(), 0);
            EXPECT_THROW(values.receive(), StreamOverrun);
          });
    };
    EXPECT_THROW(receive(), TransportClosed);
  });
}

// A publisher: the sinks of its subscribers are used by a task that belongs to none of them.
TEST(DialogStreamTest, ASinkMayOutliveItsStream) {
  play([](ServedPair& pair) {
    open_task_nursery([&](TaskNursery& n) {
      pair.portal().open_stream<&lends_its_sink>(StreamOptions{.buffer = 1},
                                                 [&](ReceiveStream<int>&) {
                                                   wait_all_tasks_blocked();
                                                   n.start_soon([] {
                                                     const Sink<int> sink = seen.sinks.front();
                                                     sink.send(1);
                                                     try {
                                                       sink.send(2);  // waits for credit
                                                     } catch (const BrokenChannel&) {
                                                       seen.broken = true;
                                                     }
                                                     EXPECT_THROW(sink.send(3), BrokenChannel);
                                                   });
                                                   wait_all_tasks_blocked();
                                                 });
    });
    EXPECT_TRUE(seen.broken);
  });
}

TEST(DialogStreamTest, EverySubscriberGetsEveryValue) {
  play([](ServedPair& pair) {
    std::vector<std::vector<int>> got(3);
    pair.portal().open_stream<&count_to>(50, [&](ReceiveStream<int>& values) {
      open_task_nursery([&](TaskNursery& n) {
        for (std::vector<int>& mine : got) {
          n.start_soon([&values, &mine] {
            values.subscribe([&](StreamSubscription<int>& all) {
              for (const int value : all) mine.push_back(value);
            });
          });
        }
      });
    });
    for (const std::vector<int>& mine : got) {
      ASSERT_EQ(mine.size(), 50u);
      EXPECT_EQ(mine.back(), 49);
    }
  });
}

// The callee's task ends with the connection, without noise: nobody is there to be told.
TEST(DialogStreamTest, ALostConnectionCancelsTheCallees) {
  play([](ServedPair& pair) {
    LogCatcher log;
    const auto receive = [&] {
      pair.portal().open_stream<&count_to>(StreamOptions{.buffer = 1}, 1000,
                                           [&](ReceiveStream<int>& values) {
                                             EXPECT_EQ(values.receive(), 0);
                                             wait_all_tasks_blocked();
                                             pair.cut();
                                             while (values.next()) {
                                             }
                                           });
    };
    EXPECT_THROW(receive(), TransportClosed);
    wait_all_tasks_blocked();
    EXPECT_EQ(pair.dispatcher.calls(), 0u);
    EXPECT_TRUE(log.texts().empty()) << log.texts().front();
  });
}

// One that waits to send, and one that sends afterwards, are told why they cannot; whatever else it
// waits for is cancelled.
TEST(DialogStreamTest, ALostConnectionIsTheSendersError) {
  play([](ServedPair& pair) {
    const auto receive = [&] {
      pair.portal().open_stream<&sends_on_after_a_loss>(StreamOptions{.buffer = 1},
                                                        [&](ReceiveStream<int>& values) {
                                                          wait_all_tasks_blocked();
                                                          pair.cut();
                                                          for (;;) values.receive();
                                                        });
    };
    EXPECT_THROW(receive(), TransportClosed);
    wait_all_tasks_blocked();
    EXPECT_EQ(seen.losses, 2);
    EXPECT_EQ(pair.dispatcher.calls(), 0u);
  });
}

}  // namespace
}  // namespace troupe

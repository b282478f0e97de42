// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/session.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "troupe/tests/ipc/session_pair.h"

namespace troupe {
namespace {

using testing::End;
using testing::established_pair;
using testing::Pair;
using testing::RecordingHandler;
using Reason = TransportClosed::Reason;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Bytes frame_of(FrameKind kind, std::uint64_t dialog, BytesView payload = {}) {
  Bytes message;
  append_frame(message, kind, dialog, payload);
  return message;
}

// ---- Dialogs ----

TEST(SessionTest, ADialogGoesFromStartToReturn) {
  auto pair = established_pair();
  RecordingHandler caller;
  const std::uint64_t id = pair->connector.session.open_dialog(caller);
  pair->connector.session.send(FrameKind::start, id, "f(1)");
  pair->settle();
  ASSERT_EQ(pair->acceptor.starts.size(), 1u);
  EXPECT_EQ(pair->acceptor.starts[0].second, "f(1)");
  pair->acceptor.session.send(FrameKind::ret, id, "2");
  pair->acceptor.session.close_dialog(id);
  pair->settle();
  ASSERT_EQ(caller.frames.size(), 1u);
  EXPECT_EQ(caller.frames[0], std::pair(FrameKind::ret, Bytes("2")));
  pair->connector.session.close_dialog(id);
  EXPECT_EQ(pair->connector.session.statistics().open_dialogs, 0u);
  EXPECT_EQ(pair->acceptor.session.statistics().open_dialogs, 0u);
}

TEST(SessionTest, BothSidesOpenDialogsWithIdsOfTheirOwn) {
  auto pair = established_pair();
  RecordingHandler handlers[6];
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t even = pair->connector.session.open_dialog(handlers[i]);
    const std::uint64_t odd = pair->acceptor.session.open_dialog(handlers[3 + i]);
    EXPECT_EQ(even % 2, 0u);
    EXPECT_EQ(odd % 2, 1u);
    EXPECT_NE(even, 0u);
    pair->connector.session.send(FrameKind::start, even, "c");
    pair->acceptor.session.send(FrameKind::start, odd, "a");
  }
  pair->settle();  // the starts cross each other
  EXPECT_EQ(pair->connector.starts.size(), 3u);
  EXPECT_EQ(pair->acceptor.starts.size(), 3u);
}

TEST(SessionTest, StartsMayFollowTheProofInOneMessage) {
  Pair pair;
  pair.acceptor.session.receive(pair.connector.take());
  pair.connector.session.receive(pair.acceptor.take());
  ASSERT_TRUE(pair.connector.session.established());
  RecordingHandler handler;
  pair.connector.session.send(FrameKind::start, pair.connector.session.open_dialog(handler),
                              "early");
  pair.acceptor.session.receive(pair.connector.take());
  EXPECT_EQ(pair.acceptor.established, 1);
  ASSERT_EQ(pair.acceptor.starts.size(), 1u);
}

TEST(SessionTest, FramesAfterTheEndOfADialogAreDroppedAndCounted) {
  auto pair = established_pair();
  RecordingHandler handler;
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, "");
  pair->settle();
  pair->connector.session.close_dialog(id);
  pair->acceptor.session.send(FrameKind::yield, id, "late");
  pair->acceptor.session.send(FrameKind::ret, id, "late");
  pair->settle();
  EXPECT_TRUE(handler.frames.empty());
  EXPECT_EQ(pair->connector.session.statistics().late_frames, 2u);
  EXPECT_TRUE(pair->connector.session.established());
}

TEST(SessionTest, ADialogThatNobodyHandlesIsNotKept) {
  auto pair = established_pair();
  pair->acceptor.ignore_starts = true;
  RecordingHandler handler;
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, "");
  pair->connector.session.send(FrameKind::cancel, id, "");
  pair->settle();
  EXPECT_EQ(pair->acceptor.session.statistics().open_dialogs, 0u);
  EXPECT_EQ(pair->acceptor.session.statistics().late_frames, 1u);
}

TEST(SessionTest, LargeValuesArriveWhole) {
  auto pair = established_pair();
  RecordingHandler handler;
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  const Bytes large(1'000'003, 'x');
  pair->connector.session.send(FrameKind::start, id, large);
  pair->settle();
  ASSERT_EQ(pair->acceptor.starts.size(), 1u);
  EXPECT_EQ(pair->acceptor.starts[0].second, large);
  pair->acceptor.session.send(FrameKind::ret, id, large);
  pair->settle();
  ASSERT_EQ(handler.frames.size(), 1u);
  EXPECT_EQ(handler.frames[0].second, large);
}

TEST(SessionTest, AValueLargerThanThePeerTakesIsRefusedAtTheSender) {
  SessionConfig small = testing::acceptor_config();
  small.limits.max_payload = 1000;
  Pair pair(testing::connector_config(), std::move(small));
  pair.settle();
  RecordingHandler handler;
  const std::uint64_t id = pair.connector.session.open_dialog(handler);
  EXPECT_NO_THROW(pair.connector.session.send(FrameKind::start, id, Bytes(1000, 'x')));
  EXPECT_THROW(pair.connector.session.send(FrameKind::yield, id, Bytes(1001, 'x')), UsageError);
  pair.settle();
  EXPECT_TRUE(pair.connector.session.established());
}

TEST(SessionTest, PiecesOfAnEndedDialogAreNotCollected) {
  auto pair = established_pair();
  RecordingHandler handler;
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, "");
  pair->settle();
  pair->acceptor.session.send(FrameKind::ret, id, Bytes(10 * piece_size, 'x'));
  pair->connector.session.receive(pair->acceptor.take());
  EXPECT_EQ(pair->connector.session.statistics().partial_payloads, 1u);
  pair->connector.session.close_dialog(id);
  EXPECT_EQ(pair->connector.session.statistics().partial_payloads, 0u);
  pair->settle();
  EXPECT_EQ(pair->connector.session.statistics().partial_payloads, 0u);
  EXPECT_TRUE(pair->connector.session.established());
}

TEST(SessionTest, MoreDialogsThanThePeerAllowsAreRefusedAtTheOpener) {
  SessionConfig few = testing::acceptor_config();
  few.limits.max_dialogs = 2;
  Pair pair(testing::connector_config(), std::move(few));
  pair.settle();
  RecordingHandler handler;
  const std::uint64_t first = pair.connector.session.open_dialog(handler);
  pair.connector.session.open_dialog(handler);
  EXPECT_THROW(pair.connector.session.open_dialog(handler), UsageError);
  pair.connector.session.close_dialog(first);
  EXPECT_NO_THROW(pair.connector.session.open_dialog(handler));
}

TEST(SessionTest, APeerThatIgnoresTheLimitOfDialogsLosesTheConnection) {
  SessionConfig few = testing::acceptor_config();
  few.limits.max_dialogs = 2;
  Pair pair(testing::connector_config(), std::move(few));
  pair.settle();
  for (std::uint64_t id = 2; id <= 40; id += 2)
    pair.acceptor.session.receive(frame_of(FrameKind::start, id));
  EXPECT_TRUE(pair.acceptor.session.closed());
  EXPECT_LE(pair.acceptor.starts.size(), 5u);
}

TEST(SessionTest, TenThousandDialogsLeaveNothing) {
  auto pair = established_pair();
  for (int i = 0; i < 10'000; ++i) {
    RecordingHandler handler;
    const std::uint64_t id = pair->connector.session.open_dialog(handler);
    pair->connector.session.send(FrameKind::start, id, "");
    pair->settle();
    pair->acceptor.session.send(FrameKind::ret, id, "");
    pair->acceptor.session.close_dialog(id);
    pair->settle();
    pair->connector.session.close_dialog(id);
  }
  EXPECT_EQ(pair->connector.session.statistics().open_dialogs, 0u);
  EXPECT_EQ(pair->acceptor.session.statistics().open_dialogs, 0u);
  EXPECT_EQ(pair->acceptor.session.statistics().queued_octets, 0u);
}

// ---- Violations ----

// Ends the acceptor's session by `message` and returns what the connector is told.
std::string told_after(const Bytes& message) {
  auto pair = established_pair();
  RecordingHandler handler;
  const std::uint64_t id = pair->acceptor.session.open_dialog(handler);
  pair->acceptor.session.send(FrameKind::start, id, "");
  pair->acceptor.session.receive(message);
  EXPECT_TRUE(pair->acceptor.session.closed());
  EXPECT_EQ(pair->acceptor.reason(), Reason::violation);
  EXPECT_EQ(handler.closed, 1);
  pair->settle();
  EXPECT_TRUE(pair->connector.session.closed());
  EXPECT_EQ(pair->connector.reason(), Reason::refused);
  return pair->connector.why();
}

TEST(SessionTest, AViolationEndsTheConnectionAndTheCulpritIsTold) {
  EXPECT_TRUE(contains(told_after("rubbish that is no frame"), "you broke the protocol"));
  EXPECT_TRUE(contains(told_after(frame_of(static_cast<FrameKind>(99), 2)), "unknown kind 99"));
  EXPECT_TRUE(
      contains(told_after(frame_of(FrameKind::yield, 100)), "dialog 100, which was never opened"));
  EXPECT_TRUE(
      contains(told_after(frame_of(FrameKind::yield, 101)), "dialog 101, which was never opened"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::start, 3)), "not the peer's to open"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::start, 2) + frame_of(FrameKind::start, 2)),
                       "open already"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::bye_ack, 0)), "without a bye"));
  EXPECT_TRUE(
      contains(told_after(frame_of(FrameKind::hello, 0)), "hello frame after the handshake"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::ping, 0, Bytes(100, 'x'))), "ping"));
  EXPECT_TRUE(
      contains(told_after(frame_of(FrameKind::bye, 0) + frame_of(FrameKind::bye, 0)), "bye"));
}

TEST(SessionTest, FramesBeforeTheOffendingOneCount) {
  auto pair = established_pair();
  pair->acceptor.session.receive(frame_of(FrameKind::start, 2, "good") + "rubbish");
  EXPECT_EQ(pair->acceptor.starts.size(), 1u);
  EXPECT_EQ(pair->acceptor.handlers.at(2)->closed, 1);
}

TEST(SessionTest, AnErrorOfAHandlerEndsOnlyThisConnection) {
  struct Thrower : DialogHandler {
    void on_frame(FrameKind, BytesView) override { throw std::out_of_range("cannot be decoded"); }
    void on_closed(std::exception_ptr) override { ++closed; }
    int closed = 0;
  } handler;
  auto pair = established_pair();
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, "");
  pair->settle();
  pair->acceptor.session.send(FrameKind::ret, id, "");
  pair->settle();
  EXPECT_TRUE(contains(pair->connector.why(), "cannot be decoded"));
  EXPECT_EQ(handler.closed, 1);
  EXPECT_TRUE(pair->acceptor.session.closed());
}

// Whoever asks and never reads the answers is told so, before they fill the memory.
TEST(SessionTest, APeerThatDoesNotReadItsAnswersMayAskForNoMore) {
  SessionConfig few = testing::acceptor_config();
  few.limits.max_queued = 100'000;
  Pair pair(testing::connector_config(), std::move(few));
  pair.settle();
  pair.acceptor.session.receive(frame_of(FrameKind::start, 2));
  pair.acceptor.session.send(FrameKind::yield, 2, Bytes(100'000, 'x'));
  pair.acceptor.session.receive(frame_of(FrameKind::credit, 2, "more"));
  pair.acceptor.session.receive(frame_of(FrameKind::cancel, 2));
  EXPECT_TRUE(pair.acceptor.session.established()) << "what asks for nothing new is let through";
  pair.acceptor.session.receive(frame_of(FrameKind::start, 4));
  EXPECT_EQ(pair.acceptor.reason(), Reason::violation);
  EXPECT_TRUE(contains(pair.acceptor.why(), "wait to be read")) << pair.acceptor.why();
  EXPECT_LT(pair.acceptor.session.queued(), 1000u) << "and what waited is dropped";
}

// ---- The end ----

TEST(SessionTest, ALostConnectionReachesEveryDialogExactlyOnce) {
  auto pair = established_pair();
  std::vector<RecordingHandler> handlers(100);
  for (auto& handler : handlers) pair->connector.session.open_dialog(handler);
  pair->connector.session.disconnected(Reason::lost, "the peer is gone");
  pair->connector.session.disconnected(Reason::lost, "again");
  for (auto& handler : handlers) EXPECT_EQ(handler.closed, 1);
  EXPECT_EQ(pair->connector.closed, 1);
  EXPECT_EQ(pair->connector.reason(), Reason::lost);
  EXPECT_EQ(pair->connector.session.statistics().open_dialogs, 0u);
}

TEST(SessionTest, AHandlerMayCloseOthersWhileItIsTold) {
  struct Closer : DialogHandler {
    void on_frame(FrameKind, BytesView) override {}
    void on_closed(std::exception_ptr) override {
      ++closed;
      for (std::uint64_t id : others) session->close_dialog(id);
    }
    Session* session = nullptr;
    std::vector<std::uint64_t> others;
    int closed = 0;
  };
  auto pair = established_pair();
  Closer closers[4];
  std::vector<std::uint64_t> ids;
  for (Closer& closer : closers) {
    closer.session = &pair->connector.session;
    ids.push_back(pair->connector.session.open_dialog(closer));
  }
  for (Closer& closer : closers) closer.others = ids;
  pair->connector.session.disconnected(Reason::lost, "gone");
  EXPECT_EQ(closers[0].closed + closers[1].closed + closers[2].closed + closers[3].closed, 1);
}

TEST(SessionTest, AClosedSessionTakesNothingAndOpensNothing) {
  auto pair = established_pair();
  pair->connector.session.disconnected(Reason::lost, "gone");
  RecordingHandler handler;
  EXPECT_THROW(pair->connector.session.open_dialog(handler), TransportClosed);
  pair->connector.session.send(FrameKind::start, 2, "x");
  EXPECT_FALSE(pair->connector.session.has_output());
  pair->connector.session.receive(frame_of(FrameKind::start, 1));
  EXPECT_TRUE(pair->connector.starts.empty());
}

TEST(SessionTest, DialogsCannotBeOpenedBeforeTheHandshake) {
  Pair pair;
  RecordingHandler handler;
  EXPECT_THROW(pair.connector.session.open_dialog(handler), TransportClosed);
}

TEST(SessionTest, ByeComesAfterAllThatWasSaidAndIsAcknowledged) {
  auto pair = established_pair();
  RecordingHandler handler;
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, Bytes(5 * piece_size, 'x'));
  pair->connector.session.say_bye();
  pair->connector.session.say_bye();
  pair->settle();
  EXPECT_EQ(pair->acceptor.starts.size(), 1u);
  for (End* end : {&pair->connector, &pair->acceptor}) {
    EXPECT_TRUE(end->session.closed());
    EXPECT_EQ(end->closed, 1);
    EXPECT_EQ(end->reason(), Reason::left);
  }
  EXPECT_EQ(handler.closed, 1);
  EXPECT_EQ(pair->acceptor.handlers.at(id)->closed, 1);
}

TEST(SessionTest, BothMaySayByeAtOnce) {
  auto pair = established_pair();
  pair->connector.session.say_bye();
  pair->acceptor.session.say_bye();
  const Bytes of_connector = pair->connector.take();
  const Bytes of_acceptor = pair->acceptor.take();
  pair->acceptor.session.receive(of_connector);
  pair->connector.session.receive(of_acceptor);
  pair->settle();
  EXPECT_EQ(pair->connector.reason(), Reason::left);
  EXPECT_EQ(pair->acceptor.reason(), Reason::left);
}

TEST(SessionTest, AStartThatCrossesTheByeIsDropped) {
  auto pair = established_pair();
  RecordingHandler handler;
  pair->acceptor.session.say_bye();
  const std::uint64_t id = pair->connector.session.open_dialog(handler);
  pair->connector.session.send(FrameKind::start, id, "");
  pair->settle();
  EXPECT_TRUE(pair->acceptor.starts.empty());
  EXPECT_EQ(handler.closed, 1);
  EXPECT_EQ(pair->acceptor.reason(), Reason::left);
}

TEST(SessionTest, AConnectionThatEndsAfterByeWasLeftInOrder) {
  auto pair = established_pair();
  pair->acceptor.session.say_bye();
  pair->connector.session.receive(pair->acceptor.take());
  EXPECT_FALSE(pair->connector.session.closed());
  EXPECT_THROW(
      {
        RecordingHandler handler;
        pair->connector.session.open_dialog(handler);
      },
      TransportClosed);
  pair->connector.session.disconnected(Reason::lost, "gone");
  EXPECT_EQ(pair->connector.reason(), Reason::left);
}

TEST(SessionTest, ByeBeforeTheHandshakeGivesUp) {
  Pair pair;
  pair.connector.session.say_bye();
  EXPECT_EQ(pair.connector.reason(), Reason::shut_down);
}

TEST(SessionTest, PingsAreAnswered) {
  auto pair = established_pair();
  pair->acceptor.session.receive(frame_of(FrameKind::ping, 0, "42"));
  EXPECT_EQ(pair->acceptor.take(), frame_of(FrameKind::pong, 0, "42"));
}

TEST(SessionTest, APeerThatAsksAndNeverReadsDoesNotGrowTheQueue) {
  auto pair = established_pair();
  Bytes pings;
  for (int i = 0; i < 1000; ++i) append_frame(pings, FrameKind::ping, 0, Bytes(64, 'x'));
  append_frame(pings, FrameKind::ping, 0, "the last");
  for (int i = 0; i < 1000; ++i) pair->acceptor.session.receive(pings);
  EXPECT_EQ(pair->acceptor.take(), frame_of(FrameKind::pong, 0, "the last"));
  EXPECT_FALSE(pair->acceptor.session.has_output());
}

// libzmq holds 160 messages for a peer that reads none, and then no longer answers heartbeats for
// it.
constexpr int most_unread = 150;

int messages_taken(End& from, std::vector<Bytes>& into) {
  int taken = 0;
  for (; from.session.may_send_message(); ++taken) into.push_back(from.take());
  return taken;
}

// The acceptor reads what is there, and what comes as it answers.
void read_all(Pair& pair, std::vector<Bytes>& unread) {
  for (std::size_t read = 0; read < unread.size(); ++read) {
    pair.acceptor.session.receive(unread[read]);
    std::vector<Bytes> answers;
    messages_taken(pair.acceptor, answers);
    for (const Bytes& answer : answers) pair.connector.session.receive(answer);
    messages_taken(pair.connector, unread);
  }
}

TEST(SessionTest, WhoDoesNotReadIsSentFewMessages) {
  auto pair = established_pair();
  Session& sender = pair->connector.session;
  sender.limit_unread();
  RecordingHandler handler;
  const std::uint64_t dialog = sender.open_dialog(handler);
  std::vector<Bytes> unread;
  for (int i = 0; i < 1000; ++i) {
    sender.send(i == 0 ? FrameKind::start : FrameKind::yield, dialog, Bytes(100, 'x'));
    messages_taken(pair->connector, unread);
  }
  EXPECT_LE(unread.size(), most_unread);
  EXPECT_TRUE(sender.has_output()) << "the rest waits";
  // As they are read, the rest comes; in fewer messages, as it was batched.
  read_all(*pair, unread);
  EXPECT_FALSE(sender.has_output());
  EXPECT_LT(unread.size(), 300u);
  EXPECT_EQ(pair->acceptor.handlers.at(dialog)->frames.size(), 999u);
}

// Few large ones are much, too.
TEST(SessionTest, WhoDoesNotReadIsSentFewOctets) {
  auto pair = established_pair();
  Session& sender = pair->connector.session;
  sender.limit_unread();
  RecordingHandler handler;
  const std::uint64_t dialog = sender.open_dialog(handler);
  sender.send(FrameKind::start, dialog, {});
  sender.send(FrameKind::yield, dialog, Bytes(100u << 20, 'x'));
  std::vector<Bytes> unread;
  messages_taken(pair->connector, unread);
  std::size_t octets = 0;
  for (const Bytes& message : unread) octets += message.size();
  EXPECT_LT(octets, 10u << 20);
  read_all(*pair, unread);
  EXPECT_EQ(pair->acceptor.handlers.at(dialog)->frames.size(), 1u);
}

// Both may be full of what the other has not read yet: answers go all the same.
TEST(SessionTest, TwoThatSendMuchGoOn) {
  auto pair = established_pair();
  End* const ends[] = {&pair->connector, &pair->acceptor};
  RecordingHandler handlers[2];
  std::vector<Bytes> on_their_way[2];
  for (int i = 0; i < 2; ++i) {
    ends[i]->session.limit_unread();
    const std::uint64_t dialog = ends[i]->session.open_dialog(handlers[i]);
    ends[i]->session.send(FrameKind::start, dialog, {});
    for (int value = 0; value < 1000; ++value) {
      ends[i]->session.send(FrameKind::yield, dialog, Bytes(max_small_payload, 'x'));
    }
    messages_taken(*ends[i], on_their_way[i]);
    EXPECT_TRUE(ends[i]->session.has_output());
  }
  while (!on_their_way[0].empty() || !on_their_way[1].empty()) {
    for (int i = 0; i < 2; ++i) {
      for (const Bytes& message : std::exchange(on_their_way[i], {})) {
        ends[1 - i]->session.receive(message);
      }
      for (int each = 0; each < 2; ++each) messages_taken(*ends[each], on_their_way[each]);
      ASSERT_LE(on_their_way[i].size(), most_unread);
    }
  }
  for (End* end : ends) EXPECT_FALSE(end->session.has_output());
}

}  // namespace
}  // namespace troupe

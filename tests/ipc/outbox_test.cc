// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/outbox.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "troupe/ipc/buffers.h"
#include "troupe/ipc/reassembly.h"

namespace troupe {
namespace {

// As a line does.
Bytes take(Outbox& outbox) {
  if (Bytes message = outbox.take_buffered(); !message.empty()) return message;
  Bytes message(outbox.batch_size(), '\0');
  outbox.take_batch(message.data());
  return message;
}

/// Reads messages as the peer would: whole payloads in the order of their ends.
struct Receiver {
  void read(BytesView message) {
    FrameReader reader(message);
    for (FrameView frame; reader.next(frame);) {
      if (!frame.is_piece) {
        got.push_back({frame.kind, frame.dialog, Bytes(frame.payload)});
      } else if (auto whole = reassembly.add(frame)) {
        got.push_back({frame.kind, frame.dialog, std::move(*whole)});
      }
    }
  }
  void read_all(Outbox& outbox) {
    while (!outbox.empty()) read(take(outbox));
  }
  std::vector<FrameKind> kinds() const {
    std::vector<FrameKind> result;
    for (const Frame& frame : got) result.push_back(frame.kind);
    return result;
  }

  Reassembly reassembly{Limits{}};
  std::vector<Frame> got;
};

using Kinds = std::vector<FrameKind>;

TEST(OutboxTest, EverythingOfOneTurnGoesInOneMessage) {
  Outbox outbox;
  for (std::uint64_t dialog = 2; dialog <= 20; dialog += 2)
    outbox.push(FrameKind::start, dialog, "x");
  Receiver receiver;
  receiver.read(take(outbox));
  EXPECT_EQ(receiver.got.size(), 10u);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.batch_size(), 0u);
}

TEST(OutboxTest, UrgentFramesGoBeforeData) {
  Outbox outbox;
  outbox.push(FrameKind::yield, 2, "1");
  outbox.push(FrameKind::yield, 2, "2");
  outbox.push(FrameKind::cancel, 4, "");
  Receiver receiver;
  receiver.read_all(outbox);
  EXPECT_EQ(receiver.kinds(), (Kinds{FrameKind::cancel, FrameKind::yield, FrameKind::yield}));
}

std::vector<Bytes> values_of(const Frame& frame) {
  std::vector<Bytes> values;
  for (BytesView rest = frame.payload; const auto value = take_value(rest);)
    values.emplace_back(*value);
  return values;
}

TEST(OutboxTest, ValuesOfOneDialogShareAFrame) {
  Outbox outbox;
  EXPECT_TRUE(outbox.push_value(2, "1"));
  EXPECT_FALSE(outbox.push_value(2, ""));
  EXPECT_TRUE(outbox.push_value(4, Bytes(200, 'x')));
  EXPECT_TRUE(outbox.push_value(2, "3"));
  outbox.push(FrameKind::stop, 2, "");
  EXPECT_TRUE(outbox.push_value(2, "4"));
  EXPECT_EQ(outbox.queued(), outbox.batch_size());
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.kinds(), (Kinds{FrameKind::yields, FrameKind::yields, FrameKind::yields,
                                     FrameKind::stop, FrameKind::yields}));
  EXPECT_EQ(values_of(receiver.got[0]), (std::vector<Bytes>{"1", ""}));
  EXPECT_EQ(values_of(receiver.got[1]), (std::vector<Bytes>{Bytes(200, 'x')}));
  EXPECT_EQ(values_of(receiver.got[2]), (std::vector<Bytes>{"3"}));
  // What has been taken is not added to.
  EXPECT_TRUE(outbox.push_value(2, "5"));
}

TEST(OutboxTest, ValuesBeyondAMessageOpenANewFrame) {
  Outbox outbox;
  int frames = 0;
  for (int i = 0; i < 10; ++i) frames += outbox.push_value(2, Bytes(max_small_payload / 3, 'x'));
  EXPECT_EQ(frames, 5);
  EXPECT_TRUE(outbox.push_value(2, Bytes(max_small_payload, 'x')));
  Receiver receiver;
  receiver.read_all(outbox);
  EXPECT_EQ(receiver.got.size(), 6u);
  EXPECT_EQ(outbox.queued(), 0u);
}

TEST(OutboxTest, WhatLiesInOnePieceIsTakenWithoutACopy) {
  Outbox outbox;
  const Bytes value(100, 'v');
  EXPECT_TRUE(outbox.take_buffered().empty()) << "there is nothing";
  outbox.push_value(2, value);
  EXPECT_TRUE(outbox.take_buffered().empty()) << "it is not worth it";
  while (outbox.queued() < worth_a_buffer) outbox.push_value(2, value);
  outbox.push(FrameKind::credit, 2, "c");
  EXPECT_TRUE(outbox.take_buffered().empty()) << "it lies in two pieces";
  Receiver receiver;
  receiver.read_all(outbox);
  EXPECT_EQ(receiver.kinds(), (Kinds{FrameKind::credit, FrameKind::yields}));

  while (outbox.queued() < worth_a_buffer) outbox.push_value(2, value);
  const std::size_t size = outbox.batch_size();
  const Bytes message = outbox.take_buffered();
  EXPECT_EQ(message.size(), size);
  EXPECT_TRUE(outbox.empty());
  outbox.push_value(2, value);  // opens a frame of its own again
  receiver.read(message);
  receiver.read_all(outbox);
  EXPECT_EQ(receiver.got.size(), 4u);
  EXPECT_EQ(receiver.got[3].payload.size(), 101u);
}

TEST(OutboxTest, AValueWaitsForTheLargeOneBeforeIt) {
  Outbox outbox;
  outbox.push(FrameKind::yield, 2, Bytes(3 * piece_size, 'x'));
  outbox.push_value(2, "after");
  outbox.push_value(4, "other");
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.kinds(), (Kinds{FrameKind::yields, FrameKind::yield, FrameKind::yields}));
  EXPECT_EQ(receiver.got[0].dialog, 4u);
  EXPECT_EQ(values_of(receiver.got[2]), (std::vector<Bytes>{"after"}));
}

TEST(OutboxTest, ACancelNeverOvertakesTheStartOfItsDialog) {
  Outbox outbox;
  outbox.push(FrameKind::start, 2, "");
  outbox.push(FrameKind::cancel, 2, "");
  outbox.push(FrameKind::start, 4, Bytes(3 * piece_size, 'x'));
  outbox.push(FrameKind::cancel, 4, "");
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.got.size(), 4u);
  EXPECT_EQ(receiver.kinds(),
            (Kinds{FrameKind::start, FrameKind::cancel, FrameKind::start, FrameKind::cancel}));
  EXPECT_EQ(receiver.got[3].dialog, 4u);
}

TEST(OutboxTest, OthersPassALargePayloadAndItsOwnDialogWaits) {
  Outbox outbox;
  outbox.push(FrameKind::yield, 2, Bytes(10 * piece_size, 'x'));
  outbox.push(FrameKind::yield, 2, "after");
  outbox.push(FrameKind::ret, 4, "small");
  outbox.push(FrameKind::cancel, 2, "");
  Receiver receiver;
  receiver.read(take(outbox));
  EXPECT_EQ(receiver.kinds(), (Kinds{FrameKind::cancel, FrameKind::ret}));
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.got.size(), 4u);
  EXPECT_EQ(receiver.got[2].payload, Bytes(10 * piece_size, 'x'));
  EXPECT_EQ(receiver.got[3].payload, "after");
}

// As it comes about when the network is full.
TEST(OutboxTest, ALargeValueWaitsForWhatItsDialogHasSentBefore) {
  Outbox outbox;
  for (int i = 0; i < 100; ++i) outbox.push(FrameKind::yield, 2, Bytes(3'000, 'x'));
  outbox.push(FrameKind::yield, 2, Bytes(max_small_payload + 1, 'y'));
  outbox.push(FrameKind::yield, 4, Bytes(max_small_payload + 1, 'z'));
  outbox.push(FrameKind::yield, 2, "last");
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.got.size(), 103u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(receiver.got[i].payload[0], 'x');
  EXPECT_EQ(receiver.got[100].payload[0], 'y');
}

TEST(OutboxTest, LargePayloadsTakeTurns) {
  Outbox outbox;
  outbox.push(FrameKind::ret, 2, Bytes(20 * piece_size, 'x'));
  outbox.push(FrameKind::ret, 4, Bytes(2 * piece_size, 'y'));
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.got.size(), 2u);
  EXPECT_EQ(receiver.got[0].dialog, 4u);
}

TEST(OutboxTest, TheLastWordsComeLast) {
  Outbox outbox;
  outbox.push_last(FrameKind::bye);
  for (int i = 0; i < 100; ++i)
    outbox.push(FrameKind::credit, 2, Bytes(max_small_payload / 2, 'x'));
  outbox.push(FrameKind::ret, 2, Bytes(5 * piece_size, 'x'));
  outbox.push(FrameKind::ret, 4, "small");
  Receiver receiver;
  receiver.read_all(outbox);
  ASSERT_EQ(receiver.got.size(), 103u);
  EXPECT_EQ(receiver.got.back().kind, FrameKind::bye);
}

TEST(OutboxTest, PayloadsAtTheLimitAreNotCut) {
  Outbox outbox;
  outbox.push(FrameKind::ret, 2, Bytes(max_small_payload, 'x'));
  EXPECT_EQ(outbox.batch_size(), frame_header_size + max_small_payload);
  take(outbox);
  outbox.push(FrameKind::ret, 2, Bytes(max_small_payload + 1, 'x'));
  EXPECT_EQ(outbox.batch_size(), frame_header_size + piece_header_size + max_small_payload + 1);
}

TEST(OutboxTest, RandomTrafficArrivesWholeAndInOrder) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 60; ++round) {
    Outbox outbox;
    Receiver receiver;
    std::map<std::pair<std::uint64_t, bool>, std::vector<Bytes>> sent, got;
    const auto is_urgent = [](FrameKind kind) { return kind == FrameKind::credit; };
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t dialog = 2 + random() % 4;
      const FrameKind kind = random() % 3 == 0 ? FrameKind::credit : FrameKind::yield;
      const std::size_t size = kind == FrameKind::yield && random() % 10 == 0
                                   ? random() % (4 * piece_size)
                                   : random() % 3000;
      Bytes payload(size, static_cast<char>('a' + i % 26));
      sent[{dialog, is_urgent(kind)}].push_back(payload);
      outbox.push(kind, dialog, std::move(payload));
      if (random() % 4 == 0 && !outbox.empty()) {
        ASSERT_LE(outbox.batch_size(), max_message_size);
        ASSERT_GT(outbox.batch_size(), 0u);
        receiver.read(take(outbox));
      }
    }
    receiver.read_all(outbox);
    ASSERT_EQ(outbox.queued(), 0u);
    ASSERT_EQ(receiver.reassembly.count(), 0u);
    for (Frame& frame : receiver.got)
      got[{frame.dialog, is_urgent(frame.kind)}].push_back(std::move(frame.payload));
    ASSERT_EQ(got, sent);
  }
}

// The peer puts up with so much that has arrived in part.
TEST(OutboxTest, LargePayloadsBeginWhenThereIsRoomForThem) {
  constexpr std::size_t large = 4 * piece_size;
  Outbox outbox;
  outbox.limit_transfers(2 * partial_cost(large));
  for (std::uint64_t dialog = 1; dialog <= 5; ++dialog) {
    outbox.push(FrameKind::ret, dialog, Bytes(large, 'x'));
  }
  outbox.push(FrameKind::ret, 6, Bytes(3 * large, 'y'));  // larger than what is put up with
  Reassembly reassembly{{.max_payload = 3 * large, .max_partial = 3 * partial_cost(large)}};
  std::vector<std::uint64_t> came;
  while (!outbox.empty()) {
    const Bytes message = take(outbox);
    FrameReader frames(message);
    for (FrameView frame; frames.next(frame);) {
      ASSERT_TRUE(frame.is_piece);
      if (reassembly.add(frame)) came.push_back(frame.dialog);
    }
  }
  EXPECT_EQ(came, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace troupe

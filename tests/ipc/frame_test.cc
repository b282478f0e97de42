// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/frame.h"

#include <gtest/gtest.h>

#include <random>

namespace troupe {
namespace {

Bytes raw_frame(std::uint32_t length, std::uint8_t kind, std::uint8_t flags, std::uint16_t zero,
                std::uint64_t dialog, BytesView payload = {}) {
  Bytes out;
  put_u32(out, length);
  put_u8(out, kind);
  put_u8(out, flags);
  put_u16(out, zero);
  put_u64(out, dialog);
  out.append(payload);
  return out;
}

void read_all(BytesView message) {
  FrameReader reader(message);
  for (FrameView frame; reader.next(frame);) {
    if (frame.is_piece) parse_piece(frame.payload);
  }
}

TEST(FrameTest, SeveralFramesTravelInOneMessage) {
  Bytes message;
  append_frame(message, FrameKind::start, 2, "abc");
  append_frame(message, FrameKind::ping, 0, "");
  append_frame(message, FrameKind::yield, 7, Bytes(1000, 'x'));
  FrameReader reader(message);
  FrameView frame;
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.kind, FrameKind::start);
  EXPECT_EQ(frame.dialog, 2u);
  EXPECT_EQ(frame.payload, "abc");
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.kind, FrameKind::ping);
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.payload.size(), 1000u);
  EXPECT_FALSE(reader.next(frame));
}

TEST(FrameTest, TheHeaderIsSixteenLittleEndianOctets) {
  Bytes message;
  append_frame(message, FrameKind::yield, 0x0102030405060708, "hi");
  EXPECT_EQ(message,
            Bytes("\x02\x00\x00\x00\x07\x00\x00\x00\x08\x07\x06\x05\x04\x03\x02\x01hi", 18));
}

TEST(FrameTest, AnEmptyMessageHasNoFrames) { EXPECT_NO_THROW(read_all("")); }

TEST(FrameTest, TruncatedFramesAreViolations) {
  Bytes message;
  append_frame(message, FrameKind::start, 2, "abc");
  for (std::size_t size = 1; size < message.size(); ++size) {
    EXPECT_THROW(read_all(BytesView(message).substr(0, size)), ProtocolViolation) << size;
  }
}

TEST(FrameTest, LengthsBeyondTheMessageAreViolations) {
  EXPECT_THROW(read_all(raw_frame(0xffffffff, 5, 0, 0, 2, "abc")), ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(4, 5, 0, 0, 2, "abc")), ProtocolViolation);
}

TEST(FrameTest, UnknownKindsFlagsAndReservedBitsAreViolations) {
  EXPECT_THROW(read_all(raw_frame(0, 0, 0, 0, 2)), ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(0, 18, 0, 0, 2)), ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(0, 255, 0, 0, 2)), ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(0, 7, 2, 0, 2)), ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(0, 7, 0, 1, 2)), ProtocolViolation);
}

TEST(FrameTest, DialogFramesNeedADialogAndOthersHaveNone) {
  EXPECT_THROW(read_all(raw_frame(0, static_cast<std::uint8_t>(FrameKind::yield), 0, 0, 0)),
               ProtocolViolation);
  EXPECT_THROW(read_all(raw_frame(0, static_cast<std::uint8_t>(FrameKind::bye), 0, 0, 3)),
               ProtocolViolation);
}

TEST(FrameTest, PiecesRoundTrip) {
  Bytes message(frame_header_size + piece_header_size + 3, '\0');
  write_piece(message.data(), FrameKind::yield, 4, {100, 50, "xyz"});
  FrameReader reader(message);
  FrameView frame;
  ASSERT_TRUE(reader.next(frame));
  EXPECT_TRUE(frame.is_piece);
  const Piece piece = parse_piece(frame.payload);
  EXPECT_EQ(piece.total, 100u);
  EXPECT_EQ(piece.offset, 50u);
  EXPECT_EQ(piece.octets, "xyz");
}

TEST(FrameTest, PiecesOutsideOfTheirWholeAreViolations) {
  const auto piece = [](std::uint64_t total, std::uint64_t offset, BytesView octets) {
    Bytes payload;
    put_u64(payload, total);
    put_u64(payload, offset);
    payload.append(octets);
    return payload;
  };
  EXPECT_NO_THROW(parse_piece(piece(3, 0, "abc")));
  EXPECT_THROW(parse_piece(piece(3, 1, "abc")), ProtocolViolation);
  EXPECT_THROW(parse_piece(piece(3, ~0ull, "abc")), ProtocolViolation);
  EXPECT_THROW(parse_piece(piece(~0ull, ~0ull - 1, "abc")), ProtocolViolation);
  EXPECT_THROW(parse_piece(piece(3, 0, "")), ProtocolViolation);
  EXPECT_THROW(parse_piece("short"), ProtocolViolation);
}

TEST(FrameTest, ValuesRoundTrip) {
  Bytes payload;
  const std::size_t sizes[] = {0, 1, 127, 128, 16'383, 16'384, 70'000};
  for (const std::size_t size : sizes) {
    const std::size_t before = payload.size();
    append_value(payload, Bytes(size, 'v'));
    EXPECT_EQ(payload.size() - before, value_prefix_size(size) + size);
  }
  BytesView rest = payload;
  for (const std::size_t size : sizes) EXPECT_EQ(take_value(rest), Bytes(size, 'v'));
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(take_value(rest), std::nullopt);
}

TEST(FrameTest, ValuesThatAreNotAllThereAreNone) {
  for (const BytesView octets :
       {BytesView("\2x"), BytesView("\x80"), BytesView("\xff\xff\xff\xff\xff\1"),
        BytesView("\xff\xff\xff\xff\x7f")}) {
    BytesView rest = octets;
    EXPECT_EQ(take_value(rest), std::nullopt);
    EXPECT_EQ(rest, octets);
  }
}

TEST(FrameTest, EveryKindHasAName) {
  for (int kind = 1; kind <= 18; ++kind) {
    EXPECT_STRNE(to_string(static_cast<FrameKind>(kind)), "unknown");
  }
  EXPECT_STREQ(to_string(static_cast<FrameKind>(0)), "unknown");
  EXPECT_STREQ(to_string(static_cast<FrameKind>(19)), "unknown");
}

TEST(FrameTest, RandomOctetsNeverDoMoreThanThrow) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    Bytes message(random() % 80, '\0');
    for (char& c : message) c = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
    try {
      read_all(message);
    } catch (const ProtocolViolation&) {
    }
  }
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/reassembly.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

struct PieceFrame {
  PieceFrame(std::uint64_t dialog, std::uint64_t total, std::uint64_t offset, BytesView octets,
             FrameKind kind = FrameKind::yield) {
    put_u64(payload, total);
    put_u64(payload, offset);
    payload.append(octets);
    frame = {kind, true, dialog, payload};
  }
  Bytes payload;
  FrameView frame;
};

TEST(ReassemblyTest, PutsPiecesOfSeveralDialogsTogether) {
  Reassembly reassembly{Limits{}};
  EXPECT_FALSE(reassembly.add(PieceFrame(2, 4, 0, "ab").frame));
  EXPECT_FALSE(reassembly.add(PieceFrame(4, 3, 0, "x").frame));
  EXPECT_EQ(reassembly.add(PieceFrame(2, 4, 2, "cd").frame), "abcd");
  EXPECT_EQ(reassembly.add(PieceFrame(4, 3, 1, "yz").frame), "xyz");
  EXPECT_EQ(reassembly.count(), 0u);
}

TEST(ReassemblyTest, GapsRepeatsAndChangesAreViolations) {
  const auto broken_by = [](const PieceFrame& second) {
    Reassembly reassembly{Limits{}};
    reassembly.add(PieceFrame(2, 4, 0, "ab").frame);
    EXPECT_THROW(reassembly.add(second.frame), ProtocolViolation);
  };
  broken_by(PieceFrame(2, 4, 3, "d"));
  broken_by(PieceFrame(2, 4, 0, "ab"));
  broken_by(PieceFrame(2, 5, 2, "cd"));
  broken_by(PieceFrame(2, 4, 2, "cd", FrameKind::ret));
  broken_by(PieceFrame(4, 4, 2, "cd"));
}

TEST(ReassemblyTest, SizesBeyondTheLimitAreRefusedAtTheFirstPiece) {
  Reassembly reassembly{{.max_payload = 10'000, .max_partial = 15'000}};
  EXPECT_THROW(reassembly.add(PieceFrame(2, 10'001, 0, "a").frame), ProtocolViolation);
  EXPECT_THROW(reassembly.add(PieceFrame(2, std::uint64_t{1} << 63, 0, "a").frame),
               ProtocolViolation);
  EXPECT_FALSE(reassembly.add(PieceFrame(2, 10'000, 0, "a").frame));
  EXPECT_FALSE(reassembly.add(PieceFrame(4, 4'400, 0, "a").frame));
  EXPECT_THROW(reassembly.add(PieceFrame(6, 200, 0, "a").frame), ProtocolViolation);
}

// Each takes room, however little it promises.
TEST(ReassemblyTest, ManySmallBeginningsAreBoundedToo) {
  Reassembly reassembly{{.max_payload = 100, .max_partial = 10'000}};
  std::uint64_t dialog = 2;
  const auto begin_many = [&] {
    for (; dialog < 10'000; dialog += 2) reassembly.add(PieceFrame(dialog, 2, 0, "a").frame);
  };
  EXPECT_THROW(begin_many(), ProtocolViolation);
  EXPECT_LT(reassembly.count(), 40u);
}

TEST(ReassemblyTest, AForgottenPayloadFreesItsShareOfTheLimit) {
  Reassembly reassembly{{.max_payload = 100, .max_partial = partial_cost(100)}};
  reassembly.add(PieceFrame(2, 100, 0, "a").frame);
  reassembly.forget(2);
  reassembly.forget(2);
  EXPECT_FALSE(reassembly.add(PieceFrame(4, 100, 0, "a").frame));
}

}  // namespace
}  // namespace troupe

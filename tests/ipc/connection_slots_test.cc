// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/connection_slots.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

struct Peer {};

TEST(ConnectionSlotsTest, APeerIsFoundByItsDescriptor) {
  ConnectionSlots<Peer> slots;
  Peer peer;
  slots.accepted(10);
  const auto tie = slots.tie(10, peer);
  EXPECT_TRUE(tie.alive);
  EXPECT_FALSE(tie.unsure);
  EXPECT_EQ(slots.broken(10), &peer);
  slots.untie(10, peer);
  EXPECT_EQ(slots.size(), 0u);
}

TEST(ConnectionSlotsTest, ADescriptorIsUsedAgain) {
  ConnectionSlots<Peer> slots;
  Peer first, second;
  slots.accepted(10);
  slots.tie(10, first);
  EXPECT_EQ(slots.broken(10), &first);
  slots.accepted(10);
  const auto tie = slots.tie(10, second);  // before the first is forgotten
  EXPECT_TRUE(tie.alive);
  EXPECT_FALSE(tie.unsure);
  slots.untie(10, first);
  EXPECT_EQ(slots.broken(10), &second);
}

TEST(ConnectionSlotsTest, AConnectionThatBrokeBeforeItsFirstMessageWasRead) {
  ConnectionSlots<Peer> slots;
  Peer peer;
  slots.accepted(10);
  EXPECT_EQ(slots.broken(10), nullptr);
  EXPECT_FALSE(slots.tie(10, peer).alive);
}

TEST(ConnectionSlotsTest, SilentConnectionsAreForgotten) {
  ConnectionSlots<Peer> slots;
  for (int i = 0; i < 5; ++i) {
    slots.accepted(10);
    EXPECT_EQ(slots.broken(10), nullptr);
  }
  slots.forget_silent();
  EXPECT_EQ(slots.size(), 0u);
}

TEST(ConnectionSlotsTest, SeveralCandidatesLeaveDoubt) {
  ConnectionSlots<Peer> slots;
  Peer peer;
  slots.accepted(10);
  slots.broken(10);
  slots.accepted(10);
  const auto tie = slots.tie(10, peer);
  EXPECT_TRUE(tie.alive);
  EXPECT_TRUE(tie.unsure);
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/connection_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Peer {};

TEST(ConnectionSlotsTest, APeerIsFoundByItsDescriptor) {
  ConnectionSlots<Peer> slots;
  Peer peer;
  EXPECT_FALSE(slots.tie(10, peer));
  EXPECT_THAT(slots.broken(10), ElementsAre(&peer));
  slots.untie(10, peer);
  EXPECT_EQ(slots.size(), 0u);
}

TEST(ConnectionSlotsTest, ADescriptorIsUsedAgain) {
  ConnectionSlots<Peer> slots;
  Peer first, second;
  slots.tie(10, first);
  EXPECT_THAT(slots.broken(10), ElementsAre(&first));
  EXPECT_FALSE(slots.tie(10, second)) << "before the first is forgotten";
  slots.untie(10, first);
  EXPECT_THAT(slots.broken(10), ElementsAre(&second));
}

TEST(ConnectionSlotsTest, AConnectionThatBrokeBeforeItsFirstMessageWasReadIsInDoubt) {
  ConnectionSlots<Peer> slots;
  Peer peer;
  EXPECT_THAT(slots.broken(10), IsEmpty());
  EXPECT_TRUE(slots.tie(10, peer));
}

TEST(ConnectionSlotsTest, AsManyAreInDoubtAsConnectionsBrokeUnheard) {
  ConnectionSlots<Peer> slots;
  Peer peers[3];
  slots.broken(10);
  slots.broken(10);
  slots.broken(11);
  EXPECT_TRUE(slots.tie(10, peers[0]));
  slots.untie(10, peers[0]);
  EXPECT_TRUE(slots.tie(10, peers[1]));
  slots.untie(10, peers[1]);
  EXPECT_FALSE(slots.tie(10, peers[2]));
}

// The first message of a connection that broke may be read after that of the next one, which came
// through another pipe.
TEST(ConnectionSlotsTest, TwoOnOneDescriptorAreInDoubtUntilOneIsForgotten) {
  ConnectionSlots<Peer> slots;
  Peer broken, alive;
  slots.broken(10);
  EXPECT_TRUE(slots.tie(10, alive));
  EXPECT_TRUE(slots.tie(10, broken));
  EXPECT_THAT(slots.broken(10), ElementsAre(&alive, &broken))
      << "it died before that was found out";
  slots.untie(10, broken);
  EXPECT_THAT(slots.broken(10), ElementsAre(&alive));
}

TEST(ConnectionSlotsTest, ADescriptorIsForgottenWithItsLastPeer) {
  ConnectionSlots<Peer> slots;
  Peer peer, stranger;
  slots.tie(10, peer);
  slots.untie(10, stranger);
  slots.untie(11, peer);
  EXPECT_EQ(slots.size(), 1u);
  slots.untie(10, peer);
  EXPECT_EQ(slots.size(), 0u);
}

}  // namespace
}  // namespace troupe

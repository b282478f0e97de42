// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/joint_events.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace troupe {
namespace {

using Kind = ActorEvent::Kind;

ActorEvent event(Kind kind, char who, const std::string& address = "ipc:///run/a") {
  return {kind, {{"worker", std::string(32, who)}, {Address::parse(address)}, "here", {}}};
}
ActorEvent joined(char who) { return event(Kind::joined, who); }
ActorEvent left(char who) { return event(Kind::left, who); }

TEST(JointEventsTest, OfOneArbiterEverythingIsPassedOn) {
  JointEvents story(1);
  EXPECT_EQ(story.hear(0, joined('a')), joined('a'));
  EXPECT_EQ(story.hear(0, left('a')), left('a'));
  EXPECT_TRUE(story.lose(0).empty());
}

TEST(JointEventsTest, WhatTwoTellIsPassedOnOnce) {
  JointEvents story(2);
  EXPECT_EQ(story.hear(0, joined('a')), joined('a'));
  EXPECT_EQ(story.hear(1, joined('a')), std::nullopt);
  EXPECT_EQ(story.hear(1, left('a')), std::nullopt) << "the other one still has it";
  EXPECT_EQ(story.hear(0, left('a')), left('a'));
  EXPECT_EQ(story.hear(0, left('a')), std::nullopt);
  EXPECT_EQ(story.hear(1, joined('a')), joined('a')) << "it is back";
}

TEST(JointEventsTest, OtherAddressesAreNews) {
  JointEvents story(2);
  story.hear(0, joined('a'));
  const ActorEvent moved = event(Kind::joined, 'a', "ipc:///run/b");
  EXPECT_EQ(story.hear(0, moved), moved);
  EXPECT_EQ(story.hear(1, moved), std::nullopt);
}

TEST(JointEventsTest, WithAnArbiterThoseLeaveWhomItAloneTellsOf) {
  JointEvents story(2);
  story.hear(0, joined('a'));
  story.hear(0, joined('b'));
  story.hear(1, joined('b'));
  EXPECT_EQ(story.lose(0), std::vector{left('a')});
  EXPECT_EQ(story.hear(1, left('b')), left('b'));
  EXPECT_TRUE(story.lose(1).empty());
}

}  // namespace
}  // namespace troupe

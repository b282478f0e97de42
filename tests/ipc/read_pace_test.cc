// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/read_pace.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(ReadPaceTest, ReadsOnUntilMessagesHaveComeOneByOne) {
  ReadPace pace;
  EXPECT_FALSE(pace.rest());
  pace.emptied(3);
  EXPECT_FALSE(pace.rest());
  pace.emptied(1);
  EXPECT_TRUE(pace.rest());
}

TEST(ReadPaceTest, RestsAsLongAsNothingMoreIsFound) {
  ReadPace pace;
  pace.emptied(1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(pace.rest());
    pace.looked(false);
    pace.emptied(0);  // woken for nothing
  }
}

TEST(ReadPaceTest, ReadsOnWhenItHasRestedTooSoon) {
  ReadPace pace;
  pace.emptied(1);
  EXPECT_TRUE(pace.rest());
  pace.looked(true);
  EXPECT_FALSE(pace.rest());
}

// What is found after something was sent, say, is the next message, and not a further one.
TEST(ReadPaceTest, ALookWithoutARestSaysNothing) {
  ReadPace pace;
  pace.emptied(1);
  pace.looked(true);
  EXPECT_TRUE(pace.rest());
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "sums.h"

#include <gtest/gtest.h>

#include "troupe/troupe.h"

TEST(SumsTest, AreTheSameInAnActor) {
  troupe::run([] {
    const auto there = troupe::to_actor<&sum_of_squares>(1, 3);
    EXPECT_EQ(there, 14);
    EXPECT_EQ(there, sum_of_squares(1, 3));
  });
}

TEST(SumsTest, OfNothingIsZero) { EXPECT_EQ(sum_of_squares(2, 1), 0); }

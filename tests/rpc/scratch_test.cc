// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/scratch.h"

#include <gtest/gtest.h>

#include <utility>

namespace troupe::detail {
namespace {

TEST(ScratchTest, IsUsedAgain) {
  const char* memory = nullptr;
  {
    ScratchBytes scratch;
    (*scratch).assign(1'000, 'x');
    memory = (*scratch).data();
  }
  ScratchBytes scratch;
  EXPECT_TRUE((*scratch).empty());
  EXPECT_EQ((*scratch).data(), memory);
}

// A user's serialize function may send values itself.
TEST(ScratchTest, TwoAtOnceAreTwo) {
  ScratchBytes outer;
  (*outer).assign(1'000, 'o');
  {
    ScratchBytes inner;
    (*inner).assign(1'000, 'i');
    EXPECT_NE((*inner).data(), (*outer).data());
  }
  EXPECT_EQ(*outer, Bytes(1'000, 'o'));
}

TEST(ScratchTest, GoesOutOfTheBlockAndBack) {
  { ScratchBytes(); }
  Bytes taken = take_scratch();
  taken.assign(2'000, 'x');
  const char* const memory = taken.data();
  give_scratch(std::move(taken));
  ScratchBytes scratch;
  EXPECT_TRUE((*scratch).empty());
  EXPECT_EQ((*scratch).data(), memory);
}

TEST(ScratchTest, IsNotKeptWhenItIsLarge) {
  {
    ScratchBytes scratch;
    (*scratch).assign(1'000'000, 'x');
  }
  ScratchBytes scratch;
  EXPECT_LT((*scratch).capacity(), 100'000u);
}

}  // namespace
}  // namespace troupe::detail

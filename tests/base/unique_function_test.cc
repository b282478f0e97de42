// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/base/unique_function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace troupe {
namespace {

TEST(UniqueFunctionTest, HoldsMoveOnlyCallables) {
  UniqueFunction<int()> function = [value = std::make_unique<int>(7)] { return *value; };
  UniqueFunction<int()> moved = std::move(function);
  EXPECT_FALSE(function);  // NOLINT(bugprone-use-after-move): moved-from is empty by contract
  EXPECT_EQ(moved(), 7);
}

TEST(UniqueFunctionTest, HoldsLargeCallables) {
  std::array<int, 100> numbers{};
  numbers[99] = 42;
  UniqueFunction<int(int)> function = [numbers](int i) { return numbers[i]; };
  UniqueFunction<int(int)> moved = std::move(function);
  EXPECT_EQ(moved(99), 42);
}

TEST(UniqueFunctionTest, DestroysWhatItHolds) {
  auto shared = std::make_shared<int>(1);
  {
    UniqueFunction<void()> function = [shared] {};
    EXPECT_EQ(shared.use_count(), 2);
    function = nullptr;
    EXPECT_EQ(shared.use_count(), 1);
  }
}

}  // namespace
}  // namespace troupe

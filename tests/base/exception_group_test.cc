// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/base/exception_group.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace troupe {
namespace {

std::exception_ptr error(const char* text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

TEST(ThrowCollectedTest, NothingForNone) { EXPECT_NO_THROW(throw_collected({}, "nobody")); }

TEST(ThrowCollectedTest, OneLeavesAsItself) {
  EXPECT_THROW(throw_collected({error("one")}, "somebody"), std::runtime_error);
}

TEST(ThrowCollectedTest, SeveralLeaveAsAGroupInOrder) {
  try {
    throw_collected({error("one"), error("two")}, "a nursery");
    FAIL() << "nothing was thrown";
  } catch (const ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u);
    const std::string text = group.what();
    EXPECT_LT(text.find("one"), text.find("two"));
  }
}

TEST(ExceptionGroupTest, PrintsNestedGroupsAsATree) {
  const ExceptionGroup inner("inner", {error("leaf"), error("other leaf")});
  const ExceptionGroup outer("outer", {std::make_exception_ptr(inner), error("third")});
  EXPECT_EQ(std::string(outer.what()),
            "outer (2 errors)\n"
            "  troupe::ExceptionGroup: inner (2 errors)\n"
            "    std::runtime_error: leaf\n"
            "    std::runtime_error: other leaf\n"
            "  std::runtime_error: third");
}

TEST(ExceptionGroupTest, AGroupMayHaveOneMember) {
  EXPECT_STREQ(ExceptionGroup("alone", {error("leaf")}).what(),
               "alone (1 error)\n  std::runtime_error: leaf");
}

}  // namespace
}  // namespace troupe

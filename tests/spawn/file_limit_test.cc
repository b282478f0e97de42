// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace troupe {
namespace {

rlim_t soft_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

TEST(FileLimitTest, IsRaisedToTheHardLimitAndTellsTheOldOne) {
  ASSERT_TRUE(set_file_limit(256));
  EXPECT_EQ(raise_file_limit(), 256u);
  EXPECT_GT(soft_limit(), 256u);
}

TEST(FileLimitTest, IsNotLowered) {
  raise_file_limit();
  const rlim_t raised = soft_limit();
  EXPECT_EQ(raise_file_limit(), raised);
  EXPECT_EQ(soft_limit(), raised);
}

TEST(FileLimitTest, CanBeRestored) {
  ASSERT_TRUE(set_file_limit(256));
  set_file_limit(raise_file_limit());
  EXPECT_EQ(soft_limit(), 256u);
}

}  // namespace
}  // namespace troupe

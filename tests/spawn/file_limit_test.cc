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

TEST(FileLimitTest, IsRaisedToTheHardLimit) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  raise_file_limit();
  EXPECT_GT(soft_limit(), 256u);
}

TEST(FileLimitTest, IsNotLowered) {
  raise_file_limit();
  const rlim_t raised = soft_limit();
  raise_file_limit();
  EXPECT_EQ(soft_limit(), raised);
}

}  // namespace
}  // namespace troupe

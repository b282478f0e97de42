// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/exit_status.h"

#include <gtest/gtest.h>

#include <csignal>

namespace troupe {
namespace {

TEST(ExitStatusTest, OnlyExitCodeZeroIsOk) {
  EXPECT_TRUE(ExitStatus{}.ok());
  EXPECT_FALSE((ExitStatus{3, 0}.ok()));
  EXPECT_FALSE((ExitStatus{0, SIGKILL}.ok()));
  EXPECT_FALSE(ExitStatus::unknown().ok());
}

TEST(ExitStatusTest, SaysTheExitCode) { EXPECT_EQ((ExitStatus{3, 0}.to_string()), "exit code 3"); }

TEST(ExitStatusTest, SaysTheSignalByNumberAndName) {
  EXPECT_EQ((ExitStatus{0, SIGKILL}.to_string()), "signal 9 (SIGKILL)");
  EXPECT_EQ((ExitStatus{0, SIGSEGV}.to_string()), "signal 11 (SIGSEGV)");
}

TEST(ExitStatusTest, SaysRealTimeSignals) {
  const int signal = SIGRTMIN + 2;
  EXPECT_EQ((ExitStatus{0, signal}.to_string()),
            "signal " + std::to_string(signal) + " (SIGRTMIN+2)");
}

TEST(ExitStatusTest, SaysWhereAnUnknownStatusWent) {
  EXPECT_NE(ExitStatus::unknown().to_string().find("waitpid(-1)"), std::string::npos);
}

}  // namespace
}  // namespace troupe

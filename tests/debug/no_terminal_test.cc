// SPDX-License-Identifier: Apache-2.0

// Debug mode where nobody can be asked: it says so, and goes on.

#include <gtest/gtest.h>

#include <string>

#include "troupe/tests/support/program.h"
#include "troupe/troupe.h"

namespace {

TEST(NoTerminalTest, ABreakpointSaysSoAndGoesOn) {
  troupe::testing::Program program("examples/debug_subactor_breakpoint");
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* const part : {"actor 'breakpoint_forever' (pid ", "has come to a breakpoint at ",
                                 "debug_subactor_breakpoint.cc:", "there is no terminal"})
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << part << outcome.errors;
}

TEST(NoTerminalTest, AnErrorIsReportedWithItsTrace) {
  troupe::testing::Program program("examples/debug_subactor_error");
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* const part : {"actor 'name_error' (pid ", "name 'doggy' is taken",
                                 "at name_error()", "actor 'root' (pid "})
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << part << outcome.errors;
}

TEST(NoTerminalTest, WithoutDebugModeABreakpointNamesTheOption) {
  testing::internal::CaptureStderr();
  troupe::breakpoint();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("no_terminal_test.cc:"), std::string::npos) << told;
  EXPECT_NE(told.find("set RunOptions.debug_mode"), std::string::npos) << told;
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// Two functions that other processes could not tell apart stop the program with a sentence.

#include <gtest/gtest.h>

#include <string>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/function.h"

namespace {

std::string complaint() {
  try {
    troupe::FunctionTable::instance().check();
  } catch (const troupe::UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ConflictTest, TwoStaticsOfOneNameAreNamedWithTheirFiles) {
  const std::string text = complaint();
  EXPECT_NE(text.find("two functions are both called 'twin' with the signature int (int)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("conflict_one.cc"), std::string::npos) << text;
  EXPECT_NE(text.find("conflict_two.cc"), std::string::npos) << text;
}

TEST(ConflictTest, TwoModulesOfOneNameAreReportedToo) {
  EXPECT_NE(complaint().find("two modules are both called 'cast'"), std::string::npos)
      << complaint();
}

}  // namespace

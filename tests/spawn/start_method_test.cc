// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/start_method.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

// As they stand in the options of programs and actors.
struct Options {
  StartMethod method = StartMethod::exec;
  std::optional<StartMethod> optional{};
};

TEST(StartMethodTest, AllKindsCanBeSetByName) {
  const Options forked{.method = StartMethod::forkserver, .optional = StartMethod::exec};
  EXPECT_EQ(forked.method, StartMethod::forkserver);
  EXPECT_EQ(forked.optional, StartMethod::exec);
  const Options launched{.method = Launcher{.argv = {"ssh", "host", "{exe}"}},
                         .optional = Launcher{.argv = {"env", "{exe}"}}};
  ASSERT_NE(launched.method.launcher(), nullptr);
  EXPECT_EQ(launched.method.launcher()->argv.at(1), "host");
  ASSERT_NE(launched.optional->launcher(), nullptr);
  EXPECT_EQ(launched.optional->launcher()->argv.at(0), "env");
}

TEST(StartMethodTest, IsExecByDefault) {
  EXPECT_EQ(StartMethod(), StartMethod::exec);
  EXPECT_EQ(StartMethod().launcher(), nullptr);
}

TEST(StartMethodTest, ComparesLaunchersByTheirCommands) {
  const StartMethod one = Launcher{.argv = {"env", "{exe}"}};
  const StartMethod same = Launcher{.argv = {"env", "{exe}"}};
  const StartMethod other = Launcher{.argv = {"nice", "{exe}"}};
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
  EXPECT_NE(one, StartMethod::exec);
  EXPECT_NE(StartMethod::forkserver, StartMethod::exec);
}

TEST(StartMethodTest, IsParsedFromItsName) {
  for (const StartMethod& method : {StartMethod::exec, StartMethod::forkserver}) {
    EXPECT_EQ(StartMethod::parse(method.to_string()), method);
  }
}

TEST(StartMethodTest, AnUnknownNameIsUsageErrorThatNamesThemAll) {
  for (const char* name : {"", "fork", "EXEC", "launcher"}) {
    try {
      StartMethod::parse(name);
      FAIL() << name;
    } catch (const UsageError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("exec"), std::string::npos) << text;
      EXPECT_NE(text.find("forkserver"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace troupe

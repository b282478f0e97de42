// SPDX-License-Identifier: Apache-2.0

// Two copies of one program at the same moment do not disturb each other, nor do those of two
// users.

#include <gtest/gtest.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

namespace fs = std::filesystem;
using troupe::testing::Outcome;
using troupe::testing::Program;

constexpr int rounds = 50;
constexpr const char* players = "tests/integration/players";
constexpr const char* setpriv = "/usr/bin/setpriv";
constexpr const char* lines = "Hi my name is donny\nHi my name is gretchen\n";

void expect_scene(Program& program) {
  const Outcome outcome = program.wait();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  ASSERT_EQ(outcome.output, lines);
  ASSERT_TRUE(program.processes().empty());
}

struct SideBySideTest : ::testing::Test {
  SideBySideTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    fs::permissions(home, fs::perms(0755));
  }
  ~SideBySideTest() override { fs::remove_all(home); }

  // A directory of that user, for everything that programs of his leave anywhere.
  fs::path home_of(uid_t user, gid_t group) const {
    fs::path path = home / ("home-" + std::to_string(user));
    fs::create_directory(path);
    fs::permissions(path, fs::perms(0700));
    EXPECT_EQ(::chown(path.c_str(), user, group), 0);
    return path;
  }

  fs::path home;
};

// They share the user's runtime directory.
TEST_F(SideBySideTest, TwoCopiesOfOneUser) {
  const std::string directory = home_of(::getuid(), ::getgid()) / "run";
  for (int i = 0; i < rounds && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    const auto start = [&](const std::string& seed) {
      return std::make_unique<Program>(
          players, std::vector<std::string>{"scene"},
          std::vector<std::pair<std::string, std::string>>{{"TROUPE_RUNTIME_DIR", directory},
                                                           {"PLAYERS_SEED", seed}});
    };
    const auto one = start(std::to_string(2 * i));
    const auto two = start(std::to_string(2 * i + 1));
    expect_scene(*one);
    expect_scene(*two);
    ASSERT_TRUE(fs::is_empty(directory));
  }
}

TEST_F(SideBySideTest, CopiesOfTwoUsers) {
  const passwd* nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr || !fs::exists(setpriv)) {
    std::cout << "not run: this needs root, a user nobody, and " << setpriv << std::endl;
    GTEST_SKIP();
  }
  const std::pair<uid_t, gid_t> users[] = {{0, 0}, {nobody->pw_uid, nobody->pw_gid}};
  const fs::path program = home / "players";  // where everybody may go
  fs::copy_file(players, program);
  for (int i = 0; i < rounds && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    std::vector<std::unique_ptr<Program>> copies;
    for (const auto& [user, group] : users) {
      const std::string his = home_of(user, group);
      const std::vector<std::string> arguments = {"--reuid=" + std::to_string(user),
                                                  "--regid=" + std::to_string(group),
                                                  "--clear-groups",
                                                  "/usr/bin/env",
                                                  "--unset=TROUPE_RUNTIME_DIR",
                                                  program.string(),
                                                  "scene"};
      copies.push_back(
          std::make_unique<Program>(setpriv, arguments,
                                    std::vector<std::pair<std::string, std::string>>{
                                        {"HOME", his}, {"TMPDIR", his}, {"XDG_RUNTIME_DIR", his}}));
    }
    for (const auto& copy : copies) expect_scene(*copy);
  }
}

}  // namespace

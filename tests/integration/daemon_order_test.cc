// SPDX-License-Identifier: Apache-2.0

// The daemon and the program that finds it, started in either order, again and again: DSC-06.
// Whoever comes first is the arbiter.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
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

struct DaemonOrderTest : ::testing::Test {
  DaemonOrderTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
  }
  ~DaemonOrderTest() override { fs::remove_all(home); }

  // Both have one runtime directory, as programs of one user have.
  std::unique_ptr<Program> start(const std::string& example) const {
    const std::string arbiter = "ipc://" + (home / "arbiter").string();
    const std::string directory = home / "run";
    return std::make_unique<Program>(
        "examples/" + example, std::vector<std::string>{},
        std::vector<std::pair<std::string, std::string>>{{"TROUPE_ARBITER_ADDR", arbiter},
                                                         {"TROUPE_RUNTIME_DIR", directory}});
  }
  void expect_answer(Program& finder) {
    const Outcome outcome = finder.wait();
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    ASSERT_EQ(outcome.output, "have you ever seen a portal?\n");
    ASSERT_TRUE(finder.processes().empty());
  }
  void end(Program& daemon) {
    daemon.send_signal(SIGTERM);
    const Outcome outcome = daemon.wait();
    ASSERT_EQ(outcome.exit_code, 143) << outcome.errors;
    ASSERT_TRUE(daemon.processes().empty());
    ASSERT_FALSE(fs::exists(home / "arbiter")) << "the next round has a place of its own";
  }

  fs::path home;
};

TEST_F(DaemonOrderTest, TheDaemonFirst) {
  for (int i = 0; i < rounds && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    const auto daemon = start("service_daemon");
    const auto finder = start("service_daemon_discovery");
    expect_answer(*finder);
    end(*daemon);
  }
}

TEST_F(DaemonOrderTest, TheFinderFirst) {
  for (int i = 0; i < rounds && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    const auto finder = start("service_daemon_discovery");
    const auto daemon = start("service_daemon");
    expect_answer(*finder);
    end(*daemon);
  }
}

}  // namespace

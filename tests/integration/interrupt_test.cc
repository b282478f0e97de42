// SPDX-License-Identifier: Apache-2.0

// SIGINT to programs that are in the middle of something with their actors. The program is
// ":interrupted".

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::Outcome;
using troupe::testing::Program;

constexpr const char* path = "tests/integration/interrupted";
// What the block that was interrupted says: what came out of it, alone, and that nobody is left.
constexpr const char* in_order = "ready\ninterrupt: SIGINT\n0 left\n";

// Interrupts a program in that situation, and checks that it ends in order.
// Returns what it wrote to stderr.
std::string interrupt(const std::string& situation,
                      std::vector<std::pair<std::string, std::string>> environment = {}) {
  Program program(path, {situation}, std::move(environment));
  EXPECT_TRUE(program.wait_for_output("ready\n"));
  program.send_signal(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.errors;
  EXPECT_EQ(outcome.output, in_order);
  EXPECT_THAT(program.processes(), IsEmpty());
  EXPECT_THAT(program.leftover_files(), IsEmpty());
  return outcome.errors;
}

// CAN-05: the body is interrupted while there is a daemon: that is ended, and the interrupt leaves
// the nursery as what it is.
TEST(InterruptTest, TheBodyOfANurseryWithADaemon) { interrupt("daemon"); }

// CAN-14: three actors of one name, of another task than the main one: all are reaped.
TEST(InterruptTest, NamesakesOfAnotherTask) { interrupt("namesakes"); }

// DBG-21: a child that hangs in a shielded sleep is killed when its time is over, which is said.
TEST(InterruptTest, AChildThatHangsInAShield) {
  EXPECT_THAT(interrupt("sound sleeper"),
              AllOf(HasSubstr("actor 'sleeper' (pid "), HasSubstr("is killed")));
}

// DSC-08: streams that are left before the nursery of their actors: both actors leave the register,
// be the arbiter the program itself ...
TEST(InterruptTest, StreamsWithTheArbiterAtHome) { interrupt("streams"); }

// DSC-08: ... or another program.
TEST(InterruptTest, StreamsWithTheArbiterElsewhere) {
  char home[] = "/tmp/trp-XXXXXX";
  ASSERT_NE(::mkdtemp(home), nullptr);
  {
    // Programs of one cluster have one runtime directory, where their key is.
    const std::vector<std::pair<std::string, std::string>> cluster = {
        {"TROUPE_ARBITER_ADDR", "ipc://" + std::string(home) + "/arbiter"},
        {"TROUPE_RUNTIME_DIR", std::string(home) + "/run"},
    };
    Program host(path, {"host"}, cluster);
    ASSERT_TRUE(host.wait_for_output("ready\n")) << host.wait().errors;
    interrupt("streams", cluster);
    host.send_signal(SIGTERM);
    const Outcome outcome = host.wait();
    EXPECT_EQ(outcome.exit_code, 143) << outcome.errors;
    EXPECT_THAT(host.processes(), IsEmpty());
  }
  std::filesystem::remove_all(home);
}

}  // namespace

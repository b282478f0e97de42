// SPDX-License-Identifier: Apache-2.0

// Whole trees of processes, seen from outside: how they end, what they print, and that nothing is
// left of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>

#include "troupe/tests/support/program.h"

namespace {

using namespace std::chrono_literals;
using troupe::testing::Outcome;
using troupe::testing::Program;

constexpr const char* players = "tests/integration/players";

class ProcessTreeTest : public ::testing::TestWithParam<const char*> {};

// SIGINT to the root cancels the tree in order: exit code 130, no process and no file is left.
// (T-SIG-04, CAN-13: an interrupt ends the main task, and the children with it.)
TEST(ProcessTreeTest, SigintEndsTheTreeWith130) {
  Program program(players, {"court"});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  program.send_signal(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.errors;
  EXPECT_TRUE(program.processes().empty());
  EXPECT_THAT(program.leftover_files(), ::testing::IsEmpty());
}

TEST(ProcessTreeTest, SigtermEndsTheTreeWith143) {
  Program program(players, {"court"});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  program.send_signal(SIGTERM);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 143) << outcome.errors;
  EXPECT_TRUE(program.processes().empty());
}

// A second SIGINT does not wait for actors that are stuck.
TEST(ProcessTreeTest, SecondSigintEndsAtOnce) {
  Program program(players, {"stuck_court"});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  program.send_signal(SIGINT);
  ASSERT_TRUE(program.wait_for_output("the court is dissolved"));
  program.send_signal(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  EXPECT_TRUE(program.gone_within(2s));
}

// What the program receives by itself does nothing else.
TEST(ProcessTreeTest, ASignalThatIsReceivedEndsNothing) {
  Program program(players, {"receives_signals"});
  ASSERT_TRUE(program.wait_for_output("an actor heeds SIGTERM\n"));
  for (const char* word : {"armed", "once"}) {
    ASSERT_TRUE(program.wait_for_output(word));
    program.send_signal(SIGTERM);
  }
  ASSERT_TRUE(program.wait_for_output("closed"));
  program.send_signal(SIGTERM);
  EXPECT_EQ(program.wait().exit_code, 143);
}

// Also where the root's own thread is busy, and comes to no checkpoint: the first one can only be
// noted then, but no user has to look for kill -9.
TEST(ProcessTreeTest, SecondSigintEndsABusyRoot) {
  Program program(players, {"busy"});
  ASSERT_TRUE(program.wait_for_output("the stage is set"));
  program.send_signal(SIGINT);
  std::this_thread::sleep_for(50ms);  // two at once are one
  program.send_signal(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  EXPECT_TRUE(program.nothing_left_within(2s));
}

// kill -9 of the root: its actors notice by themselves, also those that never come to a checkpoint.
TEST_P(ProcessTreeTest, KilledRootLeavesNoProcess) {
  Program program(players, {GetParam()});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  EXPECT_EQ(program.processes().size(), 7u);
  program.send_signal(SIGKILL);
  EXPECT_TRUE(program.gone_within(1s));
  EXPECT_EQ(program.wait().signal, SIGKILL);
  EXPECT_THAT(program.leftover_files(), ::testing::IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Courts, ProcessTreeTest, ::testing::Values("court", "stuck_court"));

class KilledEarlyTest : public ::testing::TestWithParam<const char*> {};

// So do actors that have not come to life yet, and zygotes: where the root is killed as soon as it
// has a child, or a moment later.
TEST_P(KilledEarlyTest, ARootLeavesNothing) {
  for (int i = 0; i < 60; ++i) {
    Program program(players, {"court"}, {{"TROUPE_START_METHOD", GetParam()}});
    while (program.processes().size() < 2) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(i * 200));
    program.send_signal(SIGKILL);
    const bool nothing_is_left = program.nothing_left_within(1s);
    EXPECT_THAT(program.leftover_files(), ::testing::IsEmpty());
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.signal, SIGKILL);
    EXPECT_TRUE(nothing_is_left) << "round " << i << ": " << outcome.errors;
  }
}
INSTANTIATE_TEST_SUITE_P(StartMethods, KilledEarlyTest, ::testing::Values("exec", "forkserver"));

// The same where all actors are forked: each that has children has a zygote beside them.
TEST(ProcessTreeTest, KilledRootLeavesNeitherActorsNorZygotes) {
  Program program(players, {"stuck_court"}, {{"TROUPE_START_METHOD", "forkserver"}});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  EXPECT_EQ(program.processes().size(), 7u + 3u);
  program.send_signal(SIGKILL);
  EXPECT_TRUE(program.gone_within(1s));
  EXPECT_EQ(program.wait().signal, SIGKILL);
  EXPECT_THAT(program.leftover_files(), ::testing::IsEmpty());
}

TEST(ProcessTreeTest, SigintEndsATreeOfForkedActors) {
  Program program(players, {"court"}, {{"TROUPE_START_METHOD", "forkserver"}});
  ASSERT_TRUE(program.wait_for_output("the court is complete"));
  program.send_signal(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.errors;
  EXPECT_TRUE(program.processes().empty());
  EXPECT_THAT(program.leftover_files(), ::testing::IsEmpty());
}

// What `on_actor_start` names runs in each actor that comes to it.
TEST(ProcessTreeTest, EveryActorRunsWhatItIsToStartWith) {
  EXPECT_EQ(Program(players, {"starts"}).wait().output, "1 1\n");
  EXPECT_EQ(Program(players, {"starts_after_init"}).wait().output, "0 1\n");
}

// Whatever is thrown, the root's end is an orderly one.
TEST(ProcessTreeTest, AThrownNumberEndsTheRootInOrder) {
  Program program(players, {"throws_a_number"});
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "left in order\n");
  EXPECT_THAT(outcome.errors, ::testing::HasSubstr("int"));
}

// An error that nobody caught: exit code 1, and on stderr its type, message and actor.
TEST(ProcessTreeTest, UncaughtErrorIsReported) {
  Program program(players, {"throws"});
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 1);
  for (const char* part : {"std::logic_error", "the plot has a hole", "author"}) {
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
  }
  EXPECT_TRUE(program.processes().empty());
}

class BootDeathTest : public ::testing::TestWithParam<const char*> {
 protected:
  Outcome play(const char* play) {
    return Program(players, {play}, {{"TROUPE_START_METHOD", GetParam()}}).wait();
  }
};

// SPN-14: a child that dies before its handshake is an error that says so, not a wait for ever.
TEST_P(BootDeathTest, ChildThatExitsBeforeItsHandshakeIsSpawnFailed) {
  const Outcome outcome = play("exits_early");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("SpawnFailed"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("exit code 7"), std::string::npos) << outcome.errors;
}

TEST_P(BootDeathTest, ChildWhoseMainNeverReachesRunIsSpawnFailed) {
  const Outcome outcome = play("forgets_run");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("without reaching troupe::run"), std::string::npos)
      << outcome.errors;
}

// What it said on its stderr is part of the error.
TEST_P(BootDeathTest, LastWordsAreTold) {
  const Outcome outcome = play("exits_early");
  EXPECT_THAT(outcome.errors,
              ::testing::ContainsRegex("wrote to stderr:\n *the stage is not ready"));
}
INSTANTIATE_TEST_SUITE_P(StartMethods, BootDeathTest, ::testing::Values("exec", "forkserver"));

// Two functions of one identity stop the program with a sentence that names both.
TEST(ProcessTreeTest, TwoFunctionsOfOneIdentityStopTheProgram) {
  const Outcome outcome = Program("tests/integration/twins").wait();
  EXPECT_NE(outcome.exit_code, 0);
  for (const char* part : {"twin", "twins_one.cc", "twins_two.cc"}) {
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
  }
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// The examples of debug mode, at a terminal and with a real gdb.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "troupe/tests/debug/terminal_session.h"

namespace troupe {
namespace {

using testing::TerminalSession;

constexpr const char* prompt = "(gdb) ";

std::string example(const std::string& name) { return "examples/" + name; }

// The number behind `label` in `text`.
int number_behind(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + label.size());
}

class DebuggerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/gdb", X_OK) != 0) GTEST_SKIP() << "gdb is not installed";
  }
};

// DBG-01: given an error in the root in debug mode, then a prompt opens there naming the actor and
// error; on continue or quit the program ends with that error.
TEST_F(DebuggerTest, AnErrorInTheRootOpensAPrompt) {
  for (const char* const way_on : {"quit", "continue"}) {
    TerminalSession user(example("debug_root_error"));
    const std::string told = user.expect(prompt);
    EXPECT_NE(told.find("actor 'root'"), std::string::npos) << told;
    EXPECT_NE(told.find("the plan is bad"), std::string::npos) << told;
    EXPECT_NE(told.find("SIGTRAP"), std::string::npos) << told;
    user.type(way_on);
    user.expect("ended with: the plan is bad");
    EXPECT_EQ(user.wait(), 0);
  }
}

// DBG-04: given an error in a child, then the prompt opens first in the child, then, after
// continue, in the root with the boxed error naming the child.
TEST_F(DebuggerTest, AnErrorInAChildStopsItFirstAndThenTheRoot) {
  TerminalSession user(example("debug_subactor_error"));
  EXPECT_NE(user.expect(prompt).find("actor 'name_error'"), std::string::npos);
  user.type("quit");
  const std::string told = user.expect(prompt);
  EXPECT_NE(told.find("actor 'root'"), std::string::npos) << told;
  EXPECT_NE(told.find("name_error@"), std::string::npos) << told;
  user.type("quit");
  user.expect("ended with: name 'doggy' is taken (of name_error)");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-02, DBG-03, DBG-05, DBG-22: given a pause in a loop in a child, then each continue comes to
// the next one (also while gdb is still there), Ctrl-C at the prompt reaches gdb alone, and quit
// lets it run on without an error. One gdb serves all of them, so that breakpoints of its own stay.
TEST_F(DebuggerTest, BreakpointsInALoopAreEachAPrompt) {
  TerminalSession user(example("debug_subactor_breakpoint"));
  user.expect(prompt);
  user.press("\3");
  user.expect(prompt);
  user.type("backtrace 4");
  EXPECT_NE(user.expect(prompt).find("breakpoint_forever"), std::string::npos);
  user.type("continue");
  user.expect("SIGTRAP");
  user.expect(prompt);
  user.type("quit");
  user.expect("SIGTRAP");  // the third one gets a new gdb
  user.expect(prompt);
  user.type("quit");
  user.expect("the breakpoints were passed 3 times");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-06: given several children pausing and erroring at once, then prompts are strictly one at a
// time, first come first served. DBG-07: the others are not killed meanwhile.
TEST_F(DebuggerTest, PromptsComeOneAtATime) {
  TerminalSession user(example("debug_multi_subactors"));
  for (int stops = 0; stops < 4; ++stops) {  // the three, and the root with the error
    user.expect("SIGTRAP");
    user.expect(prompt);
    user.type("quit");
  }
  user.expect("all have had their turn");
  EXPECT_EQ(user.wait(), 0);
  for (const char* const name : {"'bp_1'", "'bp_2'", "'failer'", "'root'"})
    EXPECT_NE(user.shown().find(name), std::string::npos) << name;
}

// DBG-08: given deep nesting, then a prompt opens at each level on the way up, and the program
// exits.
TEST_F(DebuggerTest, AnErrorStopsEachLevelOnItsWayUp) {
  TerminalSession user(example("debug_nested"));
  for (const char* const actor : {"actor 'leaf'", "actor 'branch'", "actor 'root'"}) {
    EXPECT_NE(user.expect(prompt).find(actor), std::string::npos) << actor;
    user.type("quit");
  }
  user.expect("it came by root <- branch <- leaf");
  EXPECT_EQ(user.wait(), 0);
}

// The terminal is as before when gdb has ended, and so it is when the actor at the prompt is killed
// (DBG-15): then the tree goes on to its end.
TEST_F(DebuggerTest, TheTerminalIsSaneAfterTheHoldersDeath) {
  TerminalSession user(example("debug_subactor_breakpoint"));
  const termios before = user.modes();
  const std::string told = user.expect(prompt);
  EXPECT_NE(user.foreground(), user.pid());
  const int holder = number_behind(told, "actor 'breakpoint_forever' (pid ");
  ASSERT_GT(holder, 0) << told;
  ::kill(holder, SIGKILL);
  user.expect("has failed with an error");  // the root's turn: ActorDied
  EXPECT_NE(user.expect(prompt).find("SIGTRAP"), std::string::npos);
  user.type("quit");
  user.expect("ActorDied");
  EXPECT_EQ(user.wait(), 1);
  const termios after = user.modes();
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
  EXPECT_EQ(before.c_oflag, after.c_oflag);
}

// Ctrl-C outside of a prompt is for the tree, also after one.
TEST_F(DebuggerTest, TheForegroundIsTheProgramsAgain) {
  TerminalSession user(example("debug_root_error"));
  user.expect(prompt);
  EXPECT_NE(user.foreground(), user.pid());
  user.type("quit");
  user.expect("ended with");
  EXPECT_EQ(user.wait(), 0);
}

constexpr const char* subject = "tests/debug/subject";

// DBG-10: given debug mode on one child only, then only that child prompts; the other crashes
// straight.
TEST_F(DebuggerTest, OneChildAloneCanBeInDebugMode) {
  TerminalSession user(subject, "one_of_two");
  EXPECT_NE(user.expect(prompt).find("actor 'stops'"), std::string::npos);
  user.type("shell sleep 2");  // longer than its parent, which is not in debug mode, would wait
  user.expect(prompt);
  user.type("quit");
  user.expect("ended with: ");
  EXPECT_EQ(user.wait(), 0);
  EXPECT_EQ(user.shown().find("is killed"), std::string::npos);
  EXPECT_EQ(user.shown().find("SIGTRAP"), user.shown().rfind("SIGTRAP"));
}

// DBG-11: given a manual post-mortem call in a handler, then it prompts there.
TEST_F(DebuggerTest, AHandlerCanAskForAPostMortem) {
  TerminalSession user(subject, "by_hand");
  const std::string told = user.expect(prompt);
  EXPECT_NE(told.find("has caught an error at"), std::string::npos) << told;
  EXPECT_NE(told.find("a failure"), std::string::npos) << told;
  user.type("quit");
  user.expect("ended well");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-12: given an already-cancelled scope, then a pause works all the same: it is no checkpoint.
TEST_F(DebuggerTest, ACancelledTaskStopsAsWell) {
  TerminalSession user(subject, "in_cancelled_scope");
  user.expect(prompt);
  user.type("quit");
  user.expect("ended well");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-14: given a self-cancelled root with an error, then its crash prompt still engages.
TEST_F(DebuggerTest, AFailureInACancelledRootStops) {
  TerminalSession user(subject, "in_cancelled_root");
  EXPECT_NE(user.expect(prompt).find("a failure"), std::string::npos);
  user.type("quit");
  user.expect("ended with: a failure");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-16: given a pause from plain code in a worker thread, then it prompts via the same lock.
TEST_F(DebuggerTest, AThreadStopsAsWell) {
  TerminalSession user(subject, "in_thread");
  user.expect(prompt);
  user.type("backtrace");
  EXPECT_NE(user.expect(prompt).find("in_thread"), std::string::npos);
  user.type("quit");
  user.expect("ended well");
  EXPECT_EQ(user.wait(), 0);
}

// A crash is found where it happens.
TEST_F(DebuggerTest, ASignalOfACrashStopsInItsPlace) {
  TerminalSession user(subject, "crashes");
  EXPECT_NE(user.expect(prompt).find("SIGSEGV"), std::string::npos);
  user.type("backtrace 1");
  EXPECT_NE(user.expect(prompt).find("crashes"), std::string::npos);
  user.type("kill");
  user.expect(prompt);
  user.type("quit");
  EXPECT_EQ(user.wait(), -SIGKILL);
}

// DBG-07: a branch is cancelled while it stands in gdb; its child, which waits for the terminal
// meanwhile, is not killed by its end, but has its turn.
TEST_F(DebuggerTest, AChildOfWhoWasHeldHasItsTurn) {
  TerminalSession user(subject, "held_branch");
  EXPECT_NE(user.expect(prompt).find("actor 'branch'"), std::string::npos);
  user.type("shell sleep 4");  // longer than until the cancellation, and the grace time
  user.expect(prompt);
  user.type("quit");
  EXPECT_NE(user.expect(prompt).find("actor 'leaf'"), std::string::npos);
  user.type("quit");
  user.expect("ended well");
  EXPECT_EQ(user.wait(), 0);
}

// DBG-09: given the root fails fast after a spawn, then the child is reaped, and nothing hangs.
TEST_F(DebuggerTest, ARootThatFailsFastEnds) {
  TerminalSession user(subject, "fails_fast");
  user.expect(prompt);
  user.type("quit");
  user.expect("ended with: a failure");
  EXPECT_EQ(user.wait(), 0);
}

}  // namespace
}  // namespace troupe

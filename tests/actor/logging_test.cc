// SPDX-License-Identifier: Apache-2.0

// What programs and their actors write to the stderr that they share.

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using troupe::testing::Outcome;
using troupe::testing::Program;
using Environment = std::vector<std::pair<std::string, std::string>>;

struct Line {
  std::string level;
  std::string actor;
  std::string pid;
  std::string task;
  std::string component;
  std::string text;
};

Outcome play(std::vector<std::string> arguments, const Environment& environment = {}) {
  Outcome outcome = Program("tests/actor/speakers", std::move(arguments), environment).wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  return outcome;
}

// Takes stderr apart; whatever is no whole line of the log fails the test.
std::vector<Line> lines_of(const Outcome& outcome) {
  static const std::regex form(
      R"(\d\d:\d\d:\d\d\.\d{6} (\w+) +(\S+)\[(\d+)\] (.+) \| ([^:]+): (.*))");
  std::vector<Line> lines;
  std::istringstream errors(outcome.errors);
  for (std::string text; std::getline(errors, text);) {
    std::smatch parts;
    if (!std::regex_match(text, parts, form)) {
      ADD_FAILURE() << "no line of the log: " << text;
      continue;
    }
    lines.push_back({parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]});
  }
  return lines;
}

bool has(const std::vector<Line>& lines, const std::string& level, const std::string& component) {
  return std::any_of(lines.begin(), lines.end(), [&](const Line& line) {
    return line.level == level && line.component == component;
  });
}

bool is_notice(const Line& line) {
  return line.text.find("wins over the log level") != std::string::npos;
}

TEST(LoggingTest, SilentByDefault) {
  const Outcome outcome = play({"one"});
  EXPECT_EQ(outcome.output, "donny: warning\n");
  EXPECT_EQ(outcome.errors, "");
}

// SPN-10: a child that nothing else is said about has the level of the program; a grandchild, too.
TEST(LoggingTest, ChildrenInheritTheLevel) {
  for (const char* name : {"one", "options"}) {
    const Outcome outcome = play({name, "info"});
    EXPECT_EQ(outcome.output, "donny: info\n");
    EXPECT_EQ(lines_of(outcome).size(), 1u) << outcome.errors;
  }
  EXPECT_EQ(play({"below", "info,ipc:error"}).output, "gretchen: info,ipc:error\n");
}

// LOG-07: a line carries time, level, actor, pid, task and who speaks.
TEST(LoggingTest, LineSaysWhoSpeaksWhere) {
  Program program("tests/actor/speakers", {"one", "info"});
  const std::string root = std::to_string(program.pid());
  const std::vector<Line> lines = lines_of(program.wait());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, "info");
  EXPECT_EQ(lines[0].actor, "donny");
  EXPECT_NE(lines[0].pid, root);
  EXPECT_NE(lines[0].task.find("speak"), std::string::npos) << lines[0].task;
  EXPECT_EQ(lines[0].component, "speaker");
  EXPECT_EQ(lines[0].text, "hi, I am donny");
}

// SPN-09: a level given to one child is the level there, and nowhere else.
TEST(LoggingTest, LevelOfOneChildIsItsOwn) {
  const Outcome outcome = play({"own_level"});
  EXPECT_EQ(outcome.output, "donny: trace\ngretchen: warning\n");
  const std::vector<Line> lines = lines_of(outcome);
  EXPECT_TRUE(has(lines, "trace", "speaker")) << outcome.errors;
  for (const Line& line : lines) EXPECT_EQ(line.actor, "donny") << line.text;
}

TEST(LoggingTest, UnknownLevelOfAChildIsAUsageError) {
  EXPECT_NE(play({"bad_level"}).output.find("'loud' is no log level"), std::string::npos);
}

// SPN-11: TROUPE_LOGLEVEL wins in the whole tree over what the program asks for, by whatever way,
// and that is said once.
TEST(LoggingTest, EnvironmentWinsInTheWholeTreeWithOneNotice) {
  for (const char* name : {"one", "options"}) {
    const Outcome outcome = play({name, "trace"}, {{"TROUPE_LOGLEVEL", "warning"}});
    EXPECT_EQ(outcome.output, "donny: warning\n");
    const std::vector<Line> lines = lines_of(outcome);
    ASSERT_EQ(lines.size(), 1u) << outcome.errors;
    EXPECT_TRUE(is_notice(lines[0])) << lines[0].text;
  }
}

TEST(LoggingTest, EnvironmentWinsOverTheLevelOfAChild) {
  const Outcome outcome = play({"own_level"}, {{"TROUPE_LOGLEVEL", "info"}});
  EXPECT_EQ(outcome.output, "donny: info\ngretchen: info\n");
  const std::vector<Line> lines = lines_of(outcome);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), is_notice), 1) << outcome.errors;
  EXPECT_EQ(lines.size(), 3u) << outcome.errors;
}

TEST(LoggingTest, EnvironmentAloneNeedsNoNotice) {
  const Outcome outcome =
      play({"below"}, {{"TROUPE_LOGLEVEL", "speaker:info,ipc:error,spawn:off"}});
  const std::vector<Line> lines = lines_of(outcome);
  ASSERT_EQ(lines.size(), 1u) << outcome.errors;
  EXPECT_EQ(lines[0].text, "hi, I am gretchen");
}

TEST(LoggingTest, UnreadableEnvironmentEndsTheProgramWithASentence) {
  const Outcome outcome =
      Program("tests/actor/speakers", {"one"}, {{"TROUPE_LOGLEVEL", "loud"}}).wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("TROUPE_LOGLEVEL"), std::string::npos) << outcome.errors;
}

// LOG-06: the runtime speaks at the levels that its parts have.
TEST(LoggingTest, RuntimeTellsWhatItDoes) {
  const Outcome outcome = play({"one", "trace"});
  const std::vector<Line> lines = lines_of(outcome);
  EXPECT_TRUE(has(lines, "runtime", "spawn")) << outcome.errors;
  EXPECT_TRUE(has(lines, "runtime", "actor"));
  EXPECT_TRUE(has(lines, "transport", "ipc"));
  EXPECT_TRUE(has(lines, "trace", "ipc"));
  EXPECT_TRUE(has(lines, "trace", "rpc"));
  EXPECT_TRUE(has(lines, "cancel", "actor"));
}

// Ten actors that speak at once do not interrupt each other.
TEST(LoggingTest, LinesOfManyActorsStayWhole) {
  const std::vector<Line> lines = lines_of(play({"crowd", "info"}));
  EXPECT_EQ(lines.size(), 1000u);
}

TEST(LoggingTest, SinkGetsTheRecordsOfItsProcessInsteadOfTheConsole) {
  const Outcome outcome = play({"sink", "info"});
  EXPECT_EQ(outcome.output, "info root main speaker: hi from here\n");
  const std::vector<Line> lines = lines_of(outcome);
  ASSERT_EQ(lines.size(), 1u) << outcome.errors;
  EXPECT_EQ(lines[0].actor, "donny");
}

TEST(LoggingTest, ColourIsForTerminalsUnlessForced) {
  EXPECT_EQ(play({"one", "info"}).errors.find('\033'), std::string::npos);
  EXPECT_NE(play({"one", "info"}, {{"FORCE_COLOR", "1"}}).errors.find("\033[32minfo"),
            std::string::npos);
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// TROUPE_TRACE: what it writes, read as people's tools read it, and what becomes of it when it
// cannot be written. The programs are ":players" and ":failures".

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using troupe::testing::Outcome;
using troupe::testing::Program;

struct TraceTest : ::testing::Test {
  TraceTest() {
    std::string name = std::string(std::getenv("TEST_TMPDIR")) + "/traces-XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~TraceTest() override { std::filesystem::remove_all(folder); }

  Outcome run_traced(const std::string& program, const std::vector<std::string>& arguments) {
    return Program("tests/integration/" + program, arguments, {{"TROUPE_TRACE", path()}}).wait();
  }
  std::string path() const { return folder + "/trace.json"; }
  std::vector<std::string> lines() const {
    std::ifstream file(path());
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

  std::string folder;
};

std::string member(const std::string& event, const std::string& name) {
  std::smatch found;
  std::regex_search(event, found, std::regex("\"" + name + "\":(\"([^\"]*)|[0-9.]+)"));
  return found[2].matched ? found[2] : found[1];
}

// The file is JSON in the eyes of another reader.
bool is_json(const std::string& path) {
  return std::system(("python3 -c 'import json; json.load(open(\"" + path + "\"))'").c_str()) == 0;
}

TEST_F(TraceTest, HasActorsTasksWaitsAndArrowsFromCallersToCallees) {
  const Outcome outcome = run_traced("players", {});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  ASSERT_TRUE(is_json(path()));
  std::map<std::string, std::string> actors;                // names by pid
  std::map<std::string, int> open_tasks;                    // by pid and track
  std::map<std::string, std::string> callers;               // pids by arrow
  std::set<std::pair<std::string, std::string>> who_calls;  // names
  std::vector<std::string> callees;                         // ends of arrows
  std::set<std::string> waits;
  for (const std::string& line : lines()) {
    const std::string phase = member(line, "ph");
    const std::string pid = member(line, "pid");
    const std::string track = pid + "/" + member(line, "tid");
    if (member(line, "name") == "process_name") {
      std::smatch found;
      ASSERT_TRUE(std::regex_search(line, found, std::regex("\"args\":\\{\"name\":\"([^\"]*)")));
      actors[pid] = found[1];
    }
    if (phase == "B") ++open_tasks[track];
    if (phase == "E") --open_tasks[track];
    if (phase == "X") waits.insert(member(line, "name"));
    if (phase == "s") callers[member(line, "id")] = pid;
    if (phase == "f") callees.push_back(line);
  }
  for (const auto& [track, open] : open_tasks) EXPECT_EQ(open, 0) << track;
  for (const std::string& line : callees) {
    const auto caller = callers.find(member(line, "id"));
    ASSERT_NE(caller, callers.end()) << line;
    who_calls.insert({actors[caller->second], actors[member(line, "pid")]});
  }
  EXPECT_THAT(who_calls, Contains(std::pair<std::string, std::string>("donny", "gretchen")));
  EXPECT_THAT(who_calls, Contains(std::pair<std::string, std::string>("gretchen", "donny")));
  EXPECT_THAT(waits, Contains(HasSubstr("of actor 'gretchen'")));
}

TEST_F(TraceTest, ADeathIsInIt) {
  run_traced("failures", {"died"});
  EXPECT_TRUE(is_json(path()));
  EXPECT_THAT(lines(), Contains(AllOf(HasSubstr("\"ph\":\"i\""), HasSubstr("SIGKILL"))));
}

// Without a place to write to the program goes on, and says so once for each actor.
TEST_F(TraceTest, APlaceThatCannotBeWrittenToIsNamed) {
  std::filesystem::create_directory(path());
  const Outcome outcome = run_traced("players", {});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.errors, HasSubstr("no trace is written to '" + path() + "'"));
  EXPECT_THAT(outcome.errors, HasSubstr("Is a directory"));
}

// A full disk, which /dev/full plays.
TEST_F(TraceTest, AFullDiskEndsTheTraceAndNothingElse) {
  std::filesystem::create_symlink("/dev/full", path());
  const Outcome outcome = run_traced("players", {});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.errors, HasSubstr("No space left on device"));
}

TEST_F(TraceTest, WithoutTheVariableNothingIsWritten) {
  EXPECT_EQ(Program("tests/integration/players").wait().exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace

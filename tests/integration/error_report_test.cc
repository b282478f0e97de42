// SPDX-License-Identifier: Apache-2.0

// What `run` prints of an error that nobody caught. Pids and uuids are masked, and of each trace
// only the program's own named functions are kept, without files and lines, which depend on how it
// was compiled.

#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using troupe::testing::Outcome;
using troupe::testing::Program;

// Colours and formats as the test wants them, not as the machine has them.
Outcome play(const std::string& failure,
             std::vector<std::pair<std::string, std::string>> environment = {}) {
  environment.insert(environment.begin(), {"TROUPE_TRACEBACKS", "1"});
  return Program("tests/integration/failures", {failure}, environment).wait();
}

bool is_foreign_frame(const std::string& line) {
  static const std::regex frame("^[ |]*  at .*");
  static const std::regex own("^[ |]*  at failures::[a-z_]+\\([a-z]*\\)( .*)?$");
  return std::regex_match(line, frame) && !std::regex_match(line, own);
}

std::string masked(const std::string& report) {
  static const std::regex pid("pid [0-9]+");
  static const std::regex uuid("@[0-9a-f]{8}");
  static const std::regex place(" \\([^ ()]+:[0-9]+\\)$");
  std::istringstream lines(report);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (is_foreign_frame(line)) continue;
    line = std::regex_replace(line, pid, "pid N");
    line = std::regex_replace(line, uuid, "@UUID");
    result += std::regex_replace(line, place, "") + "\n";
  }
  return result;
}

void expect_report(const std::string& failure, const std::string& report) {
  const Outcome outcome = play(failure);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(masked(outcome.errors), "troupe: uncaught error\n" + report) << "it was:\n"
                                                                         << outcome.errors;
}

TEST(ErrorReportTest, LocalError) {
  expect_report("local",
                "std::logic_error: which act?\n"
                "  in actor root (pid N)\n"
                "  at failures::forget_line()\n"
                "  at failures::play_act()\n");
}

TEST(ErrorReportTest, Group) {
  expect_report("group",
                "troupe::ExceptionGroup: several tasks of a nursery failed (2 errors)\n"
                "  in actor root (pid N)\n"
                "  +-- std::logic_error: which act?\n"
                "  |     in actor root (pid N)\n"
                "  |     at failures::forget_line()\n"
                "  |     at failures::play_act()\n"
                "  +-- std::out_of_range: row 9\n"
                "        in actor root (pid N)\n");
}

TEST(ErrorReportTest, OneHop) {
  expect_report("one_hop",
                "std::logic_error: which act?\n"
                "  in actor hop-1@UUID (pid N)\n"
                "  relayed hop-1@UUID -> root\n"
                "  at failures::forget_line()\n"
                "  at failures::play_act()\n"
                "  at failures::pass_on(int)\n");
}

TEST(ErrorReportTest, ThreeHops) {
  expect_report("three_hops",
                "std::logic_error: which act?\n"
                "  in actor hop-1@UUID (pid N)\n"
                "  relayed hop-1@UUID -> hop-2@UUID -> hop-3@UUID -> root\n"
                "  at failures::forget_line()\n"
                "  at failures::play_act()\n"
                "  at failures::pass_on(int)\n");
}

TEST(ErrorReportTest, DeathOfAnActor) {
  expect_report("died",
                "troupe::ActorDied: actor 'frail' (pid N) died: signal 9 (SIGKILL), without taking "
                "its leave; look at its stderr, or supervise it with a restart\n"
                "  in actor root (pid N)\n");
}

TEST(ErrorReportTest, Cause) {
  expect_report("cause",
                "std::logic_error: which act?\n"
                "  in actor root (pid N)\n"
                "  at failures::forget_line()\n"
                "  at failures::play_act()\n"
                "  at failures::fail_with_cause()\n"
                "which led to:\n"
                "std::runtime_error: no encore\n"
                "  in actor root (pid N)\n"
                "  at failures::fail_with_cause()\n");
}

TEST(ErrorReportTest, TracesCanBeSwitchedOff) {
  const Outcome outcome =
      Program("tests/integration/failures", {"one_hop"}, {{"TROUPE_TRACEBACKS", "0"}}).wait();
  EXPECT_EQ(outcome.errors.find("  at "), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("which act?"), std::string::npos) << outcome.errors;
}

TEST(ErrorReportTest, JsonForPrograms) {
  const Outcome outcome = play("one_hop", {{"TROUPE_ERROR_FORMAT", "json"}});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.errors.rfind(
                R"({"type":"std::logic_error","message":"which act?","actor":{"name":"hop-1",)", 0),
            0u)
      << outcome.errors;
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
}

}  // namespace

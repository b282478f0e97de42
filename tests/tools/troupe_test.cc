// SPDX-License-Identifier: Apache-2.0

// The command line tool as people use it: its binary, beside programs that run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using troupe::testing::Outcome;
using troupe::testing::Program;

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(5ms);  // polls the outside world
}

// What differs from run to run.
std::string masked(std::string text) {
  text = std::regex_replace(text, std::regex("pid [0-9]+"), "pid N");
  text = std::regex_replace(text, std::regex("since [0-9]+\\.[0-9]+ s"), "since N s");
  return std::regex_replace(text, std::regex(":[0-9]+\\)"), ":N)");
}

// All programs of a test have one runtime directory, as those of one user have.
struct TroupeTest : ::testing::Test {
  TroupeTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    arbiter = "ipc://" + (home / "arbiter").string();
  }
  ~TroupeTest() override { fs::remove_all(home); }

  std::unique_ptr<Program> start(const std::string& path, std::vector<std::string> arguments) {
    return std::make_unique<Program>(path, std::move(arguments),
                                     std::vector<std::pair<std::string, std::string>>{
                                         {"TROUPE_RUNTIME_DIR", (home / "run").string()}});
  }
  std::unique_ptr<Program> start_family(std::vector<std::string> arguments) {
    auto program = start("tests/tools/looked_at", std::move(arguments));
    EXPECT_TRUE(program->wait_for_output("ready\n"));
    return program;
  }
  Outcome troupe(std::vector<std::string> arguments) {
    return start("tools/troupe/troupe", std::move(arguments))->wait();
  }
  static void end(Program& program) {
    program.send_signal(SIGTERM);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 143) << outcome.errors;
    EXPECT_THAT(program.processes(), IsEmpty());
  }

  fs::path home;
  std::string arbiter;
};

// ---- The command line ----

TEST_F(TroupeTest, HelpTeaches) {
  for (const char* word : {"--help", "-h", "help"}) {
    const Outcome outcome = troupe({word});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, AllOf(HasSubstr("Examples"), HasSubstr("troupe tree --tasks"),
                                      HasSubstr("Exit codes")));
  }
}

TEST_F(TroupeTest, WrongArgumentsAreExplained) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "a command is missing"},
      {{"dance"}, "no command 'dance'"},
      {{"ls", "--loud"}, "no option '--loud'"},
      {{"ls", "too", "many"}, "one word too many"},
      {{"ping"}, "name of an actor is missing"},
      {{"ls", "--timeout", "soon"}, "--timeout takes a number"},
      {{"ls", "--timeout=-1"}, "--timeout takes a number"},
      {{"ls", "--arbiter"}, "--arbiter needs a value"},
      {{"ls", "--local", "--arbiter", "ipc:///tmp/a"}, "exclude each other"},
      {{"ls", "--json=yes"}, "takes no value"},
      {{"ping", "--tasks", "name"}, "--tasks belongs to"},
      {{"ls", "--arbiter", "here"}, "troupe: "},
  };
  for (const auto& [arguments, sentence] : cases) {
    const Outcome outcome = troupe(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << sentence;
    EXPECT_THAT(outcome.errors, AllOf(StartsWith("troupe: "), HasSubstr(sentence)));
    EXPECT_THAT(outcome.output, IsEmpty());
  }
}

// ---- Nobody to ask ----

TEST_F(TroupeTest, NobodyIsThere) {
  const Outcome own = troupe({"ls", "--local"});
  EXPECT_EQ(own.exit_code, 0);
  EXPECT_THAT(own.errors, HasSubstr("no actors are there"));
  const Outcome cluster = troupe({"ls", "--arbiter", arbiter});
  EXPECT_EQ(cluster.exit_code, 3);
  EXPECT_THAT(cluster.errors, AllOf(HasSubstr("no arbiter to ask"), HasSubstr(arbiter)));
}

// A foreign listener is told from an arbiter, in bounded time.
TEST_F(TroupeTest, WhoeverListensThereIsNoArbiter) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (home / "arbiter").string();
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  const Outcome outcome = troupe({"ls", "--arbiter", arbiter, "--timeout", "0.3"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("no arbiter to ask"));
  ::close(listener);
}

// ---- Actors that answer ----

TEST_F(TroupeTest, LsAndTreeShowAPrivateTree) {
  const auto program = start_family({"family"});
  const Outcome ls = troupe({"ls", "--local"});
  EXPECT_EQ(ls.exit_code, 0) << ls.errors;
  EXPECT_THAT(ls.output, AllOf(StartsWith("NAME"), HasSubstr("\nroot "), HasSubstr("\nparent "),
                               HasSubstr("\nother "), HasSubstr("\ngrandchild "),
                               HasSubstr(std::to_string(program->pid())), HasSubstr("ipc://"),
                               Not(HasSubstr("\033"))));
  EXPECT_EQ(count(ls.output, "\n"), 5u) << ls.output;
  const Outcome tree = troupe({"tree", "--local"});
  EXPECT_EQ(masked(tree.output),
            "root (pid N)\n  parent (pid N)\n    grandchild (pid N)\n  other (pid N)\n");
  end(*program);
}

TEST_F(TroupeTest, AnArbiterKnowsTheActorsOfAllItsTrees) {
  const auto program = start_family({"cluster", arbiter});
  const Outcome ls = troupe({"ls", "--arbiter", arbiter});
  EXPECT_EQ(ls.exit_code, 0) << ls.errors;
  EXPECT_EQ(count(ls.output, "\n"), 5u) << ls.output;
  EXPECT_THAT(ls.output, HasSubstr(arbiter));
  EXPECT_EQ(troupe({"ls", "--local"}).output, ls.output) << "it is this user's, too";
  const Outcome ping = troupe({"ping", "grandchild", "--arbiter", arbiter});
  EXPECT_EQ(ping.exit_code, 0) << ping.errors;
  EXPECT_THAT(ping.output, AllOf(StartsWith("actor grandchild@"), HasSubstr(") answers in ")));
  end(*program);
}

TEST_F(TroupeTest, JsonIsOneLineForPrograms) {
  const auto program = start_family({"family"});
  const Outcome ls = troupe({"ls", "--local", "--json"});
  EXPECT_THAT(ls.output, AllOf(StartsWith("{\"actors\":[{\"name\":\"root\",\"uuid\":\""),
                               HasSubstr("\"state\":\"answers\",\"pid\":"),
                               HasSubstr("\"parent\":\""), Not(HasSubstr("\"tasks\""))));
  EXPECT_EQ(count(ls.output, "\n"), 1u);
  const Outcome tree = troupe({"tree", "--local", "--tasks", "--json"});
  EXPECT_THAT(tree.output, AllOf(HasSubstr("\"tasks\":[{\"id\":"), HasSubstr("\"of\":\"runtime\""),
                                 HasSubstr("have_child) of actor 'parent'\",\"waits_since_ms\":")));
  EXPECT_THAT(troupe({"ping", "root", "--local", "--json"}).output,
              HasSubstr("\"round_trip_us\":"));
  end(*program);
}

TEST_F(TroupeTest, PingAndCancelTakeNames) {
  const auto program = start_family({"family"});
  EXPECT_EQ(troupe({"ping", "other", "--local"}).exit_code, 0);
  const Outcome nobody = troupe({"ping", "stranger", "--local"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.errors, HasSubstr("nobody has the name 'stranger'"));
  EXPECT_EQ(troupe({"cancel", "other@0000000000", "--local"}).exit_code, 1);
  const Outcome cancel = troupe({"cancel", "other", "--local"});
  EXPECT_EQ(cancel.exit_code, 0) << cancel.output << cancel.errors;
  EXPECT_THAT(cancel.output, HasSubstr("has ended"));
  EXPECT_EQ(troupe({"ping", "other", "--local"}).exit_code, 1);
  end(*program);
}

TEST_F(TroupeTest, CancelWantsOneActorOnly) {
  const auto one = start_family({"family"});
  const auto two = start_family({"family"});
  const Outcome outcome = troupe({"cancel", "other", "--local"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("several actors"), HasSubstr("other@")));
  EXPECT_EQ(troupe({"ping", "other", "--local"}).exit_code, 0);
  end(*one);
  end(*two);
}

// In the environment of a program that is traced it leaves the trace alone.
TEST_F(TroupeTest, WritesNoTraceOfItsOwn) {
  const fs::path trace = home / "trace.json";
  const Outcome outcome =
      Program("tools/troupe/troupe", {"ls", "--local"},
              {{"TROUPE_RUNTIME_DIR", (home / "run").string()}, {"TROUPE_TRACE", trace.string()}})
          .wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_FALSE(fs::exists(trace));
}

// ---- Actors that hang ----

// An actor in an endless loop is shown as such, and hides nobody else.
TEST_F(TroupeTest, AnActorInAnEndlessLoopDoesNotAnswer) {
  const auto program = start_family({"spin"});
  wait_until([&] {
    return troupe({"ping", "other", "--local", "--timeout", "0.3"}).exit_code == 1;
  });
  const Outcome tree = troupe({"tree", "--local", "--timeout", "0.5"});
  EXPECT_EQ(tree.exit_code, 1);
  EXPECT_EQ(masked(tree.output),
            "root (pid N)\n  parent (pid N)\n    grandchild (pid N)\n"
            "  other (pid N) (does not answer)\n");
  EXPECT_THAT(tree.errors, HasSubstr("actor 'other' does not answer"));
  const Outcome cancel = troupe({"cancel", "other", "--local", "--timeout", "0.3"});
  EXPECT_EQ(cancel.exit_code, 1);
  EXPECT_THAT(cancel.output, HasSubstr("does not answer"));
}

// Two actors that call each other while each holds a lock: the tree alone says who waits for whom.
// The guide shows the same text.
TEST_F(TroupeTest, ADeadlockIsSeenInTheTree) {
  const auto program = start("tests/tools/looked_at", {"deadlock"});
  Outcome tree;
  wait_until([&] {
    tree = troupe({"tree", "--tasks", "--local"});
    return count(tree.output, "Lock::acquire, held by task '") == 2;
  });
  EXPECT_EQ(tree.exit_code, 0) << tree.errors;
  EXPECT_THAT(tree.output,
              AllOf(HasSubstr("deposit) of actor 'bob'"), HasSubstr("deposit) of actor 'alice'")));
  EXPECT_THAT(content_of("docs/guide/debugging.md"), HasSubstr(masked(tree.output)));
  end(*program);
}

// ---- SIGUSR1 ----

// DBG-20: the root prints the whole tree, each parent before its children. A storm of signals is
// answered less often than it blows, and the program goes on.
TEST_F(TroupeTest, Sigusr1AtTheRootPrintsTheWholeTree) {
  const fs::path errors = home / "errors";
  const auto program = start_family({"errors_to", errors.string()});
  program->send_signal(SIGUSR1);
  wait_until([&] { return content_of(errors).find("other (pid") != std::string::npos; });
  const std::string text = masked(content_of(errors));
  EXPECT_THAT(text, HasSubstr("asked for by SIGUSR1:\nroot (pid N)\n"));
  EXPECT_LT(text.find("root (pid"), text.find("\n  parent (pid"));
  EXPECT_LT(text.find("\n  parent (pid"), text.find("\n    grandchild (pid"));
  EXPECT_THAT(text, HasSubstr("have_child) of actor 'parent'"));
  constexpr int storm = 500;
  for (int i = 0; i < storm; ++i) program->send_signal(SIGUSR1);
  wait_until([&] { return count(content_of(errors), "other (pid") > 1; });
  EXPECT_EQ(troupe({"ping", "root", "--local"}).exit_code, 0);
  EXPECT_LT(count(content_of(errors), "asked for by SIGUSR1"), std::size_t{storm});
  end(*program);
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// What holds for actors however their processes are made; and how that is chosen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

int square(int number) { return number * number; }
void throws_out_of_range() { throw std::out_of_range("there are only three acts"); }
void sleep_for_ever() { troupe::sleep_forever(); }
void kill_oneself() { raise(SIGKILL); }
void mutter_and_die() {
  for (int i = 1; i <= 30; ++i) std::fprintf(stderr, "line %d\n", i);
  raise(SIGKILL);
}
bool parent_is_os_parent(int pid) { return getppid() == pid; }
std::string variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "<unset>" : value;
}
std::string uuid() { return troupe::current_actor().uid().uuid; }

// The names of the processes that this one has started, as ps shows them.
std::vector<std::string> names_of_children() {
  std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
  std::vector<std::string> names;
  for (std::string pid; list >> pid;) {
    std::ifstream comm("/proc/" + pid + "/comm");
    names.emplace_back(std::istreambuf_iterator<char>(comm), std::istreambuf_iterator<char>());
  }
  return names;
}

int sum_of_squares(int depth);
inline const auto& stage = troupe::module<"stage", &square, &throws_out_of_range, &sleep_for_ever,
                                          &kill_oneself, &mutter_and_die, &parent_is_os_parent,
                                          &variable, &uuid, &names_of_children, &sum_of_squares>;

// A tree: every actor makes two, `depth` levels deep.
int sum_of_squares(int depth) {
  if (depth == 0) return 1;
  return troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto left = n.run_in_actor<&sum_of_squares>("left", depth - 1);
    auto right = n.run_in_actor<&sum_of_squares>("right", depth - 1);
    return left.result() + right.result() + 1;
  });
}

// Shares neither descriptors nor environment, and is a process of its own beside the program.
const troupe::Launcher launcher{.argv = {"env", "-i", "setsid", "--wait", "{exe}"}};

troupe::StartMethod method_of(const std::string& name) {
  if (name == "launcher") return launcher;
  return troupe::StartMethod::parse(name);
}

// ----- what holds for all of them

class StartMethodsTest : public ::testing::TestWithParam<const char*> {
 protected:
  // Runs `body` in a nursery of a program that starts its actors in the way under test.
  template <class Body>
  void in_nursery(Body body) {
    troupe::open_root_actor({.start_method = method_of(GetParam())},
                            [&] { troupe::open_nursery(body); });
  }
};

TEST_P(StartMethodsTest, DeliversAResult) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&square>("worker", 7).result(), 49);
  });
}

TEST_P(StartMethodsTest, DeliversAnError) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    try {
      frank.run<&throws_out_of_range>();
      FAIL() << "nothing was thrown";
    } catch (const troupe::RemoteActorError& error) {
      EXPECT_TRUE(error.is<std::out_of_range>());
    }
    EXPECT_EQ(frank.run<&square>(3), 9);
    EXPECT_TRUE(frank.cancel_actor());
  });
}

TEST_P(StartMethodsTest, CancelledActorsEnd) {
  in_nursery([](troupe::ActorNursery& n) {
    n.start_actor("frank", {.enable_modules = {stage}});
    n.run_in_actor<&sleep_for_ever>("sleeper");
    n.cancel();
  });
}

// SPN-16: actors have actors; the way of starting them is handed down.
TEST_P(StartMethodsTest, TreesNest) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&sum_of_squares>("top", 2).result(), 7);
  });
}

TEST_P(StartMethodsTest, AKilledActorIsActorDied) {
  EXPECT_THROW(in_nursery([](troupe::ActorNursery& n) {
                 troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
                 EXPECT_THROW(frank.run<&kill_oneself>(), troupe::ActorDied);
               }),
               troupe::ActorDied);
}

TEST_P(StartMethodsTest, VariablesReachTheActor) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal frank = n.start_actor(
        {.name = "frank", .enable_modules = {stage}, .env = {{"START_METHODS_TEST", "two words"}}});
    EXPECT_EQ(frank.run<&variable>("START_METHODS_TEST"), "two words");
    EXPECT_EQ(frank.run<&variable>("TROUPE_CHILD"), "<unset>");
    frank.cancel_actor();
  });
}

TEST_P(StartMethodsTest, ActorsHaveIdentitiesOfTheirOwn) {
  in_nursery([](troupe::ActorNursery& n) {
    auto one = n.run_in_actor<&uuid>("one");
    auto two = n.run_in_actor<&uuid>("two");
    EXPECT_NE(one.result(), two.result());
  });
}

// An actor that dies after its boot is `ActorDied` with its last words, 20 lines of them.
TEST_P(StartMethodsTest, ADeadActorsLastWordsAreTold) {
  try {
    in_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&mutter_and_die>("hamlet"); });
    FAIL() << "nothing was thrown";
  } catch (const troupe::ActorDied& died) {
    // The command of a launcher may have had something to say about it, too.
    EXPECT_THAT(died.stderr_tail(), HasSubstr("line 29\nline 30"));
    EXPECT_THAT(died.stderr_tail(), Not(HasSubstr("line 10\n")));
    EXPECT_THAT(died.what(), HasSubstr("line 30"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, StartMethodsTest, ::testing::Values("exec", "forkserver", "launcher"),
                         [](const auto& test) { return std::string(test.param); });

// ----- how it is chosen

bool has_zygote(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "troupe-zygote\n") return true;
  }
  return false;
}

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

// Collects what is logged while it lives.
class Log {
 public:
  Log() {
    troupe::set_log_sink([this](const troupe::LogRecord& record) { text_ += record.text + "\n"; });
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { troupe::set_log_sink({}); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Whether the root has a zygote after it has started an actor with these options.
bool forks(troupe::RunOptions run, troupe::ActorOptions options = {}) {
  bool found = false;
  troupe::open_root_actor(std::move(run), [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      options.name = "frank";
      troupe::Portal frank = n.start_actor(std::move(options));
      found = has_zygote(names_of_children());
      frank.cancel_actor();
    });
  });
  return found;
}

TEST(StartMethodChoiceTest, IsExecUnlessToldOtherwise) { EXPECT_FALSE(forks({})); }

TEST(StartMethodChoiceTest, AnActorsOptionsWinOverTheProgram) {
  EXPECT_TRUE(forks({}, {.start_method = troupe::StartMethod::forkserver}));
  EXPECT_FALSE(forks({.start_method = troupe::StartMethod::forkserver},
                     {.start_method = troupe::StartMethod::exec}));
  EXPECT_TRUE(forks({.start_method = troupe::StartMethod::forkserver}));
}

// SPN-12: the environment wins over the program and over an actor's options, with a notice.
TEST(StartMethodChoiceTest, TheEnvironmentWins) {
  const Variable variable("TROUPE_START_METHOD", "forkserver");
  const Log log;
  EXPECT_TRUE(forks({.start_method = troupe::StartMethod::exec}));
  EXPECT_THAT(log.text(), HasSubstr("TROUPE_START_METHOD"));
  EXPECT_TRUE(forks({}, {.start_method = troupe::StartMethod::exec}));
}

TEST(StartMethodChoiceTest, TheEnvironmentThatAgreesIsNotMentioned) {
  const Variable variable("TROUPE_START_METHOD", "exec");
  const Log log;
  EXPECT_FALSE(forks({}));
  EXPECT_EQ(log.text(), "");
}

TEST(StartMethodChoiceTest, AnUnknownValueIsUsageErrorThatNamesTheKnownOnes) {
  const Variable variable("TROUPE_START_METHOD", "spoon");
  try {
    troupe::open_root_actor({}, [] {});
    FAIL() << "nothing was thrown";
  } catch (const troupe::UsageError& error) {
    for (const char* part : {"TROUPE_START_METHOD", "spoon", "exec", "forkserver"}) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

// The choice is the tree's: an actor's own actors are made in the same way.
TEST(StartMethodChoiceTest, IsHandedDown) {
  troupe::open_root_actor({.start_method = troupe::StartMethod::forkserver}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
      EXPECT_FALSE(has_zygote(frank.run<&names_of_children>()));
      EXPECT_EQ(frank.run<&sum_of_squares>(1), 3);
      EXPECT_TRUE(has_zygote(frank.run<&names_of_children>()));
      frank.cancel_actor();
    });
  });
}

// ----- what is special

// A forked actor is the actor's own child, not the zygote's.
TEST(ForkserverActorTest, IsAChildOfItsActor) {
  troupe::open_root_actor({.start_method = troupe::StartMethod::forkserver}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      EXPECT_TRUE(n.run_in_actor<&parent_is_os_parent>("frank", getpid()).result());
    });
  });
}

TEST(LauncherActorTest, ACommandThatCannotBeRunIsSpawnFailedWithItsWords) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      try {
        n.start_actor("frank",
                      {.start_method = troupe::Launcher{.argv = {"no_such_command", "{exe}"}}});
        FAIL() << "nothing was thrown";
      } catch (const troupe::SpawnFailed& error) {
        EXPECT_THAT(error.what(), HasSubstr("exit code 127"));
        EXPECT_THAT(error.what(), HasSubstr("cannot run the launcher `no_such_command`"));
      }
    });
  });
}

TEST(LauncherActorTest, ACommandWithoutTheProgramIsUsageError) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      EXPECT_THROW(n.start_actor("frank", {.start_method = troupe::Launcher{.argv = {"true"}}}),
                   troupe::UsageError);
    });
  });
}

}  // namespace

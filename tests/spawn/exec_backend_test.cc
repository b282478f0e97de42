// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/exec_backend.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/process_name.h"
#include "troupe/spawn/self_image.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using namespace troupe::testing;

// ----- roles

int name_itself(Boot boot, const std::string& argument) {
  set_process_name(argument);
  say(boot.lifeline.get(), "named");
  hear(boot.lifeline.get());
  return 0;
}

// Tries to spawn, and says how that ended.
void report_spawn(const Boot& boot) {
  try {
    const auto child = spawn_exec(role_spec("exit_with", "0"));
    say(boot.lifeline.get(), child->wait().to_string());
  } catch (const SpawnFailed& error) {
    say(boot.lifeline.get(), error.what());
  }
}

int count_descriptors() {  // without needing one
  int count = 0;
  for (int fd = 0; fd < 64; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

int spawn_with_few_descriptors(Boot boot, const std::string& left) {
  rlimit limit{64, 64};
  ::setrlimit(RLIMIT_NOFILE, &limit);
  detail::self_image_path();
  run_tasks([&] {
    std::vector<UniqueFd> taken;
    while (UniqueFd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}) taken.push_back(std::move(fd));
    taken.resize(taken.size() - std::stoul(left));
    const int before = count_descriptors();
    report_spawn(boot);
    if (count_descriptors() != before) say(boot.lifeline.get(), "leaked");
  });
  return has_children() ? 1 : 0;
}

// The limit of processes does not bind root, so this becomes a user that has no process yet.
int spawn_over_process_limit(Boot boot, const std::string&) {
  detail::self_image_path();
  constexpr uid_t unused_user = 54321;
  if (::getuid() == 0 && ::setuid(unused_user) != 0) {
    say(boot.lifeline.get(), "skip");
    return 0;
  }
  rlimit limit{1, 1};
  ::setrlimit(RLIMIT_NPROC, &limit);
  run_tasks([&] { report_spawn(boot); });
  return 0;
}

int spawn_with_closed_stdio(Boot boot, const std::string&) {
  for (int fd : {0, 1, 2}) ::close(fd);
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("report_stdio"));
    say(boot.lifeline.get(), hear(child->lifeline_fd()));
    child->wait();
  });
  return 0;
}

int spawn_with_ignored_sigchld(Boot boot, const std::string&) {
  ::signal(SIGCHLD, SIG_IGN);
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("exit_with", "7"));
    say(boot.lifeline.get(), child->wait().to_string());
  });
  return 0;
}

int delete_own_file_and_spawn(Boot boot, const std::string& file) {
  if (::unlink(file.c_str()) != 0) return 1;
  std::ofstream(file) << "#!/bin/sh\nexit 55\n";  // an "upgrade"
  ::chmod(file.c_str(), 0755);
  run_tasks([&] { report_spawn(boot); });
  return 0;
}

// ----- helpers

ExitStatus status_of(const SpawnSpec& spec) {
  return run_tasks([&] { return spawn_exec(spec)->wait(); });
}

std::string answer_of(const SpawnSpec& spec) {
  return run_tasks([&] {
    const auto child = spawn_exec(spec);
    std::string answer = hear(child->lifeline_fd());
    EXPECT_EQ(hear(child->lifeline_fd()), "<end>");
    EXPECT_TRUE(child->wait().ok());
    return answer;
  });
}

template <class E>
std::string error_of(const SpawnSpec& spec) {
  try {
    run_tasks([&] { spawn_exec(spec)->wait(); });
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

// ----- tests

class SpawnExecTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
};

TEST_F(SpawnExecTest, ReportsTheExitCode) {
  EXPECT_EQ(status_of(role_spec("exit_with", "0")), (ExitStatus{0, 0}));
  EXPECT_EQ(status_of(role_spec("exit_with", "3")), (ExitStatus{3, 0}));
}

TEST_F(SpawnExecTest, ReportsTheSignal) {
  EXPECT_EQ(status_of(role_spec("die_of", std::to_string(SIGTERM))), (ExitStatus{0, SIGTERM}));
  EXPECT_EQ(status_of(role_spec("die_of", std::to_string(SIGABRT))), (ExitStatus{0, SIGABRT}));
}

TEST_F(SpawnExecTest, TheChildSeesNoneOfTheParentsDescriptors) {
  const UniqueFd careless(::open("/dev/null", O_RDONLY));  // no O_CLOEXEC
  const UniqueFd far(::fcntl(careless.get(), F_DUPFD, 200));
  EXPECT_EQ(answer_of(role_spec("report_descriptors")), "0 1 2 3");
}

TEST_F(SpawnExecTest, TheParentKeepsNoDescriptorOfAnEndedChild) {
  const std::string before = run_tasks([] {
    detail::self_image_path();
    return open_descriptors();
  });
  EXPECT_EQ(run_tasks([] {
              spawn_exec(role_spec("exit_with", "0"))->wait();
              return open_descriptors();
            }),
            before);
}

TEST_F(SpawnExecTest, StdinIsNullAndTheRestIsInherited) {
  EXPECT_EQ(answer_of(role_spec("report_stdio")), "/dev/null " + target_of(1) + " " + target_of(2));
}

TEST_F(SpawnExecTest, AStdoutThatIsNotMeantToBeInheritedIsNot) {
  ::fcntl(1, F_SETFD, FD_CLOEXEC);
  EXPECT_EQ(answer_of(role_spec("report_stdio")), "/dev/null /dev/null " + target_of(2));
  ::fcntl(1, F_SETFD, 0);
}

TEST_F(SpawnExecTest, ClosedStandardDescriptorsAreNullInTheChild) {
  EXPECT_EQ(answer_of(role_spec("spawn_with_closed_stdio")), "/dev/null /dev/null /dev/null");
}

TEST_F(SpawnExecTest, TheChildBlocksAndIgnoresNoSignal) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  const std::string answer = answer_of(role_spec("report_signals"));
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(answer, "0 0 ");
}

TEST_F(SpawnExecTest, WorksWhereSigchldIsIgnored) {
  EXPECT_EQ(answer_of(role_spec("spawn_with_ignored_sigchld")), "exit code 7");
}

TEST_F(SpawnExecTest, TheChildHasTheParentsArgv) {
  std::string mine;
  for (const std::string& argument : original_argv()) mine += "[" + argument + "]";
  EXPECT_EQ(answer_of(role_spec("report_argv")), mine);
}

TEST_F(SpawnExecTest, TheChildHasTheArgvGiven) {
  SpawnSpec spec = role_spec("report_argv");
  spec.argv = {"zero", "", "two words", "\xff"};
  EXPECT_EQ(answer_of(spec), "[zero][][two words][\xff]");
}

TEST_F(SpawnExecTest, VariablesAreAddedAndReplaced) {
  ::setenv("SPAWN_TEST_KEPT", "old", 1);
  ::setenv("SPAWN_TEST_REPLACED", "old", 1);
  SpawnSpec spec =
      role_spec("report_variables", "SPAWN_TEST_KEPT SPAWN_TEST_REPLACED SPAWN_TEST_NEW");
  spec.env = {{"SPAWN_TEST_REPLACED", "1"}, {"SPAWN_TEST_NEW", "a=b"}, {"SPAWN_TEST_REPLACED", ""}};
  EXPECT_EQ(answer_of(spec), "SPAWN_TEST_KEPT=old;SPAWN_TEST_REPLACED=;SPAWN_TEST_NEW=a=b;");
  EXPECT_STREQ(std::getenv("SPAWN_TEST_REPLACED"), "old");
}

// SPN-22: ps and /proc name the actor within the 15 bytes of comm; argv stays what it was.
TEST_F(SpawnExecTest, AChildCanShowItsNameInPs) {
  run_tasks([] {
    const auto child = spawn_exec(role_spec("name_itself", "some_linguist"));
    EXPECT_EQ(hear(child->lifeline_fd()), "named");
    const std::string proc = "/proc/" + std::to_string(child->pid());
    EXPECT_EQ(read_file(proc + "/comm"), "troupe:some_lin\n");
    EXPECT_EQ(read_file(proc + "/cmdline"), read_file("/proc/self/cmdline"));
    say(child->lifeline_fd(), "go");
    EXPECT_TRUE(child->wait().ok());
  });
}

TEST_F(SpawnExecTest, NamesMayBeAnyBytes) {
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("\n\0\xff", 3), std::string(10'000, 'x')}) {
    SpawnSpec spec = role_spec("exit_with", "0");
    spec.name = name;
    run_tasks([&] {
      const auto child = spawn_exec(spec);
      EXPECT_EQ(child->name(), name);
      EXPECT_TRUE(child->wait().ok());
    });
  }
}

TEST_F(SpawnExecTest, TheProgramsFileMayBeReplacedWhileItRuns) {
  const std::string file = make_scratch_directory() + "/program";
  std::ofstream(file, std::ios::binary) << read_file("/proc/self/exe");
  ASSERT_EQ(::chmod(file.c_str(), 0755), 0);
  run_tasks([&] {
    const auto child = detail::spawn_image(file, role_spec("delete_own_file_and_spawn", file));
    EXPECT_EQ(hear(child->lifeline_fd()), "exit code 0");
    EXPECT_TRUE(child->wait().ok());
  });
}

TEST_F(SpawnExecTest, AProgramThatIsNotThereIsSpawnFailed) {
  const std::string before = open_descriptors();
  try {
    detail::spawn_image("/nonexistent/program", role_spec("frank"));
    FAIL();
  } catch (const SpawnFailed& error) {
    expect_contains(error.what(),
                    "cannot spawn actor `frank` (from pid " + std::to_string(::getpid()) + ")");
    expect_contains(error.what(), "ENOENT");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SpawnExecTest, AnArgvThatIsTooLargeIsSpawnFailed) {
  SpawnSpec spec = role_spec("exit_with", "0");
  spec.argv = {"program", std::string(1 << 20, 'x')};
  expect_contains(error_of<SpawnFailed>(spec), "E2BIG");
}

TEST_F(SpawnExecTest, TooFewDescriptorsAreSpawnFailed) {
  for (const char* left : {"0", "1"}) {
    const std::string answer = answer_of(role_spec("spawn_with_few_descriptors", left));
    EXPECT_TRUE(answer.starts_with("cannot spawn actor `exit_with`")) << answer;
    expect_contains(answer, "EMFILE");
    expect_contains(answer, "ulimit -n");
  }
  EXPECT_EQ(answer_of(role_spec("spawn_with_few_descriptors", "2")), "exit code 0");
}

TEST_F(SpawnExecTest, TheLimitOfProcessesIsSpawnFailed) {
  const std::string answer = answer_of(role_spec("spawn_over_process_limit"));
  if (answer == "skip") GTEST_SKIP() << "no other user can be had here";
  expect_contains(answer, "EAGAIN");
  expect_contains(answer, "ulimit -u");
}

TEST_F(SpawnExecTest, AChildThatLeavesBeforeItHasItsRecordIsSpawnFailed) {
  SpawnSpec spec = role_spec("exit_with", std::string(10 << 20, '0'));
  spec.env = {{"LEAVE_EARLY", "1"}};
  const std::string error = error_of<SpawnFailed>(spec);
  expect_contains(error, "`exit_with`");
  expect_contains(error, "exit code 17");
}

// A small record is in place before the child starts; that it is not taken shows at its end only.
TEST_F(SpawnExecTest, AChildThatLeavesWithoutItsSmallRecordIsSeenByItsStatus) {
  SpawnSpec spec = role_spec("exit_with", "0");
  spec.env = {{"LEAVE_EARLY", "1"}};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(spec), (ExitStatus{17, 0}));
}

TEST_F(SpawnExecTest, ACancelledSpawnLeavesNoProcess) {
  SpawnSpec spec = role_spec("exit_with", std::string(10 << 20, '0'));
  spec.env = {{"HANG_EARLY", "1"}};
  run_tasks([&] {
    EXPECT_TRUE(
        move_on_after(std::chrono::milliseconds(20), [&] { spawn_exec(spec); }).cancelled_caught());
  });
}

TEST_F(SpawnExecTest, WhatNoProcessCanHaveIsUsageError) {
  SpawnSpec spec = role_spec("exit_with", "0");
  spec.argv = {std::string("a\0b", 3)};
  expect_contains(error_of<UsageError>(spec), "NUL");
  for (const char* key : {"", "A=B", "TROUPE_CHILD"}) {
    spec = role_spec("exit_with", "0");
    spec.env = {{key, "value"}};
    expect_contains(error_of<UsageError>(spec), "`env`");
  }
  spec.env = {{"KEY", std::string("a\0b", 3)}};
  expect_contains(error_of<UsageError>(spec), "NUL");
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(
      argc, argv,
      {{"name_itself", troupe::name_itself},
       {"spawn_with_few_descriptors", troupe::spawn_with_few_descriptors},
       {"spawn_over_process_limit", troupe::spawn_over_process_limit},
       {"spawn_with_closed_stdio", troupe::spawn_with_closed_stdio},
       {"spawn_with_ignored_sigchld", troupe::spawn_with_ignored_sigchld},
       {"delete_own_file_and_spawn", troupe::delete_own_file_and_spawn}});
}

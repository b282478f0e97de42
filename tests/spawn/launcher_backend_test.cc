// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/launcher_backend.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/terminate.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using namespace troupe::testing;

// In a session of its own, where no signal to the command's group reaches the program.
const Launcher in_own_session{.argv = {"env", "-i", "setsid", "--wait", "{exe}"}};

ExitStatus status_of(const Launcher& launcher, const SpawnSpec& spec) {
  return run_tasks([&] { return spawn_launched(launcher, spec)->wait(); });
}

std::string usage_error_of(const Launcher& launcher) {
  try {
    status_of(launcher, role_spec("exit_with", "0"));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

class LauncherTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
};

TEST_F(LauncherTest, TheProgramMayBeTheWholeCommand) {
  EXPECT_EQ(status_of({.argv = {"{exe}"}}, role_spec("exit_with", "3")), (ExitStatus{3, 0}));
}

TEST_F(LauncherTest, TheCommandMayPassTheExitCodeOn) {
  EXPECT_EQ(status_of(in_own_session, role_spec("exit_with", "3")), (ExitStatus{3, 0}));
}

// A script that knows of its first argument alone must not start the program as a root.
TEST_F(LauncherTest, ACommandMayLoseTheOptionWhereStdinIsTheSocket) {
  const Launcher launcher{.argv = {"sh", "-c", "exec \"$0\"", "{exe}"}};
  EXPECT_EQ(status_of(launcher, role_spec("exit_with", "3")), (ExitStatus{3, 0}));
}

// As over ssh: what the command reads from its own stdin it hands on through a pipe.
TEST_F(LauncherTest, TheRecordMayComeThroughAPipe) {
  run_tasks([] {
    const auto child =
        spawn_launched({.argv = {"sh", "-c", "cat | {exe}"}}, role_spec("exit_with", "3"));
    ::shutdown(child->lifeline_fd(), SHUT_WR);  // else `cat` waits for more
    EXPECT_EQ(child->wait(), (ExitStatus{3, 0}));
  });
}

TEST_F(LauncherTest, TheCommandLeadsAGroupOfItsOwn) {
  run_tasks([] {
    const auto child = spawn_launched(in_own_session, role_spec("spin_watched"));
    EXPECT_TRUE(child->leads_group());
    EXPECT_EQ(::getpgid(child->pid()), child->pid());
  });
}

// The life-line reaches the program wherever it is.
TEST_F(LauncherTest, AProgramOutsideOfTheGroupEndsWithItsCommand) {
  run_tasks([] {
    const auto child = spawn_launched(in_own_session, role_spec("spin_watched"));
    const std::string pid = hear(child->lifeline_fd());
    EXPECT_NE(pid, std::to_string(child->pid()));
    const UniqueFd program = open_pid(pid);
    terminate(*child, milliseconds(0));
    EXPECT_TRUE(ends_within(program.get(), milliseconds(1000)));
  });
}

TEST_F(LauncherTest, AWaitLastsUntilTheProgramHasEndedToo) {
  run_tasks([] {
    const auto child = spawn_launched(in_own_session, role_spec("spin_watched"));
    const UniqueFd program = open_pid(hear(child->lifeline_fd()));
    child->send_signal(SIGKILL);
    EXPECT_EQ(child->wait(), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(program.get(), milliseconds(500)));
  });
}

// The command hears SIGTERM before it is killed, and what it leaves in its group is killed.
TEST_F(LauncherTest, TheLadderHasARungForTheCommand) {
  const Launcher launcher{
      .argv = {"sh", "-c", "trap 'exit 9' TERM; exec 3<&0; {exe} <&3 3<&- & wait"}};
  run_tasks([&] {
    const auto child = spawn_launched(launcher, role_spec("ignore_everything"));
    const UniqueFd program = open_pid(hear(child->lifeline_fd()));
    EXPECT_EQ(terminate(*child, milliseconds(0)), (ExitStatus{9, 0}));
    EXPECT_TRUE(ends_within(program.get(), milliseconds(1000)));
  });
}

TEST_F(LauncherTest, ACommandThatDoesNotExistSaysSo) {
  SpawnSpec spec = role_spec("exit_with", "0");
  spec.stdio = Stdio::inherit;
  run_tasks([&] {
    const auto child = spawn_launched({.argv = {"no_such_command_here", "{exe}"}}, spec);
    EXPECT_EQ(child->wait(), (ExitStatus{127, 0}));
    const std::string tail = child->stderr_tail();
    EXPECT_NE(tail.find("`no_such_command_here`"), std::string::npos) << tail;
    EXPECT_NE(tail.find("ENOENT"), std::string::npos) << tail;
  });
}

TEST_F(LauncherTest, ACommandWithoutTheProgramIsUsageError) {
  for (const Launcher& launcher : {Launcher{}, Launcher{.argv = {"ssh", "host"}}}) {
    EXPECT_NE(usage_error_of(launcher).find("{exe}"), std::string::npos);
  }
  EXPECT_NE(usage_error_of({.argv = {"{exe}", std::string("a\0b", 3)}}).find("NUL"),
            std::string::npos);
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return troupe::testing::role_main(argc, argv, {}); }

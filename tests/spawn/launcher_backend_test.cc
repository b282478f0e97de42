// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/launcher_backend.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/launched.h"
#include "troupe/spawn/self_image.h"
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

// A connection over the loopback interface, one end of which is to be a program's stdin.
class StrangersConnection {
 public:
  StrangersConnection() {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ::bind(listener.get(), generic, size);
    ::listen(listener.get(), 1);
    ::getsockname(listener.get(), generic, &size);
    stranger_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::connect(stranger_.get(), generic, size);
    server_.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  void send(BytesView octets) {
    ASSERT_EQ(::send(stranger_.get(), octets.data(), octets.size(), 0),
              static_cast<ssize_t>(octets.size()));
    pollfd arrived{server_.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&arrived, 1, 5000), 1);
  }

  int exit_code_of_this_program() const {
    const std::string path = detail::self_image_path();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::dup2(server_.get(), STDIN_FILENO);
      ::execl(path.c_str(), "program", nullptr);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  UniqueFd stranger_;
  UniqueFd server_;
};

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

// A daemon that starts a program for each connection, which is its stdin: whoever connects must not
// be able to say as what it is executed.
TEST_F(LauncherTest, ARecordFromAStrangersSocketIsNotTaken) {
  StrangersConnection connection;
  Bytes octets;
  put_string(octets, detail::LaunchRecord{{"true"}, {}}.encode());
  connection.send(octets);
  ::setenv(program_variable, "1", 1);
  const int code = connection.exit_code_of_this_program();
  ::unsetenv(program_variable);
  EXPECT_EQ(code, program_code);
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

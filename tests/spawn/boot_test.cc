// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/boot.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/terminate.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using namespace troupe::testing;

constexpr std::size_t ten_mebibytes = 10 << 20;

int report_state(Boot boot, const std::string&) {
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal);
  const bool marked = std::getenv(detail::child_mark) != nullptr;
  const bool inherited = (::fcntl(boot.lifeline.get(), F_GETFD) & FD_CLOEXEC) == 0;
  say(boot.lifeline.get(), std::string(marked ? "marked" : "unmarked") +
                               (inherited ? " inherited " : " private ") +
                               std::to_string(death_signal));
  return 0;
}

// The process in the middle: starts a child that spins, and spins itself.
int spawn_spinner(Boot boot, const std::string&) {
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("spinner"));
    say(boot.lifeline.get(), hear(child->lifeline_fd()));
    spin();
  });
  return 0;
}

// A parent with threads, the last of which to end is told of as its death again.
int spawn_future_orphan(Boot boot, const std::string&) {
  for (int i = 0; i < 8; ++i) std::thread([] { ::pause(); }).detach();
  run_tasks([&] {
    SpawnSpec spec = role_spec("spinner");
    spec.env = {{"WAIT_FOR_ORPHANHOOD", "1"}};
    const auto child = spawn_exec(spec);
    say(boot.lifeline.get(), std::to_string(child->pid()));
    spin();
  });
  return 0;
}

// The same with one that hangs before it can find out that it is a child.
int spawn_early_spinner(Boot boot, const std::string&) {
  run_tasks([&] {
    SpawnSpec spec = role_spec("spinner");
    spec.env = {{"HANG_EARLY", "1"}};
    const auto child = spawn_exec(spec);
    say(boot.lifeline.get(), std::to_string(child->pid()));
    spin();
  });
  return 0;
}

int spinner(Boot boot, const std::string&) {
  say(boot.lifeline.get(), std::to_string(::getpid()));
  spin();
}

// Starts this program again as the user might: a process of its own that happens to see the mark
// which this child was started with.
int run_program_with_my_mark(Boot boot, const std::string&) {
  const std::string mark = "TROUPE_CHILD=3:" + std::to_string(boot.parent_pid);
  const std::string program = "/proc/" + std::to_string(::getpid()) + "/exe";
  run_tasks([&] {
    SpawnSpec spec = role_spec("report_parent");
    spec.argv = {"sh", "-c", "export " + mark + " && exec " + program};
    spec.env = {{program_variable, "1"}};
    const auto shell = detail::spawn_image("/bin/sh", spec);
    say(boot.lifeline.get(), shell->wait().to_string());
  });
  return 0;
}

std::string answer_of(const SpawnSpec& spec) {
  return run_tasks([&] {
    const auto child = spawn_exec(spec);
    std::string answer = hear(child->lifeline_fd());
    EXPECT_TRUE(child->wait().ok());
    return answer;
  });
}

TEST(TakeBootRecordTest, IsNothingInAProcessThatNobodySpawned) {
  EXPECT_FALSE(take_boot_record().has_value());
}

TEST(TakeBootRecordTest, GivesTheBlobOctetByOctet) {
  EXPECT_EQ(answer_of(role_spec("report_argument_size", std::string("\0\n\xff", 3))), "3 265");
}

TEST(TakeBootRecordTest, GivesABlobLargerThanTheSocketsBuffer) {
  EXPECT_EQ(answer_of(role_spec("report_argument_size", std::string(ten_mebibytes, '\2'))),
            std::to_string(ten_mebibytes) + " " + std::to_string(2 * ten_mebibytes));
}

TEST(TakeBootRecordTest, KnowsTheParent) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(answer_of(role_spec("report_parent")), me + " " + me);
}

TEST(TakeBootRecordTest, HidesMarkAndLifelineFromFurtherProgramsAndArmsTheDeathSignal) {
  EXPECT_EQ(answer_of(role_spec("report_state")), "unmarked private " + std::to_string(SIGALRM));
}

TEST(TakeBootRecordTest, IgnoresAndUnsetsAMarkWithAnotherParent) {
  ::setenv(detail::child_mark, "3:1", 1);
  EXPECT_FALSE(take_boot_record().has_value());
  EXPECT_EQ(std::getenv(detail::child_mark), nullptr);
}

TEST(TakeBootRecordTest, IgnoresAndUnsetsGarbage) {
  for (const char* garbage : {"", ":", "3", "3:", ":1", "x:y", "3:1 ", "-3:1", "3:99999999999",
                              "3:1:x", "3:1:zygotes", "0:1:launched"}) {
    ::setenv(detail::child_mark, garbage, 1);
    EXPECT_FALSE(take_boot_record().has_value()) << garbage;
    EXPECT_EQ(std::getenv(detail::child_mark), nullptr) << garbage;
  }
}

TEST(TakeBootRecordTest, IgnoresAMarkInAProgramThatAChildStarts) {
  EXPECT_EQ(answer_of(role_spec("run_program_with_my_mark")),
            "exit code " + std::to_string(program_code));
}

TEST(TakeBootRecordTest, MissesALifelineThatSomethingHasClosed) {
  const std::string mark = "900:" + std::to_string(::getppid());
  ::setenv(detail::child_mark, mark.c_str(), 1);
  EXPECT_THROW(take_boot_record(), SpawnFailed);
  EXPECT_EQ(std::getenv(detail::child_mark), nullptr);
}

TEST(TakeBootRecordTest, TakesNoOtherSocketForItsLifeline) {
  int ends[2];
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);  // made by this process
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  const std::string mark = std::to_string(one.get()) + ":" + std::to_string(::getppid());
  ::setenv(detail::child_mark, mark.c_str(), 1);
  EXPECT_THROW(take_boot_record(), SpawnFailed);
}

// An orphan that took itself for no child would run the user's program as a second root.
TEST(TakeBootRecordTest, TellsAnOrphanFromAStaleMark) {
  int ends[2];
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  const UniqueFd lifeline(ends[0]);
  const std::string mark = std::to_string(lifeline.get()) + ":" + std::to_string(::getpid());
  ::setenv(detail::child_mark, mark.c_str(), 1);
  EXPECT_FALSE(take_boot_record().has_value()) << "its maker still holds the other end";
  ::close(ends[1]);
  ::setenv(detail::child_mark, mark.c_str(), 1);
  EXPECT_THROW(take_boot_record(), SpawnFailed);
}

// A child that has no watcher yet is killed by the kernel when its parent is.
TEST(TakeBootRecordTest, AChildThatSpinsDiesWithItsKilledParent) {
  run_tasks([] {
    const auto middle = spawn_exec(role_spec("spawn_spinner"));
    const UniqueFd spinner = open_pid(hear(middle->lifeline_fd()));
    EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(spinner.get(), milliseconds(1000)));
  });
}

// One that comes in time has the time to clear up, however often it is told of the death.
TEST(TakeBootRecordTest, AnOrphanFindsOutThatItIsOne) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  run_tasks([] {
    for (int i = 0; i < 20; ++i) {
      const auto middle = spawn_exec(role_spec("spawn_future_orphan"));
      const pid_t orphan = std::stoi(hear(middle->lifeline_fd()));
      sleep(milliseconds(10));
      EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
      int status = 0;
      EXPECT_EQ(::waitpid(orphan, &status, 0), orphan);
      EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
      EXPECT_EQ(WEXITSTATUS(status), not_a_child);
    }
  });
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

// So is one that has not come to its `main` yet, wherever it is on its way there.
TEST(TakeBootRecordTest, AChildThatHangsInAnInitialiserDiesWithItsKilledParent) {
  run_tasks([] {
    for (int i = 0; i < 5; ++i) {
      const auto middle = spawn_exec(role_spec("spawn_early_spinner"));
      const UniqueFd spinner = open_pid(hear(middle->lifeline_fd()));
      sleep(milliseconds(i));
      EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
      EXPECT_TRUE(ends_within(spinner.get(), milliseconds(1500)));
    }
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(
      argc, argv,
      {{"report_state", troupe::report_state},
       {"spawn_spinner", troupe::spawn_spinner},
       {"spawn_future_orphan", troupe::spawn_future_orphan},
       {"spawn_early_spinner", troupe::spawn_early_spinner},
       {"spinner", troupe::spinner},
       {"run_program_with_my_mark", troupe::run_program_with_my_mark}});
}

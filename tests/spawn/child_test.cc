// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using namespace troupe::testing;

// Exits with the code that it is told over the life-line.
int exit_when_told(Boot boot, const std::string&) {
  say(boot.lifeline.get(), "ready");
  return std::stoi(hear(boot.lifeline.get()));
}

std::unique_ptr<Child> start(const std::string& role) {
  auto child = spawn_exec(role_spec(role));
  hear(child->lifeline_fd());
  return child;
}

class ChildTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
};

TEST_F(ChildTest, IsKnownByNameAndPid) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    EXPECT_EQ(child->name(), "exit_when_told");
    EXPECT_EQ(::kill(child->pid(), 0), 0);
  });
}

TEST_F(ChildTest, HasNoStatusWhileItLives) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    EXPECT_FALSE(child->status().has_value());
    EXPECT_FALSE(child->wait_nowait().has_value());
  });
}

TEST_F(ChildTest, KeepsItsStatus) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    say(child->lifeline_fd(), "4");
    EXPECT_EQ(child->wait(), (ExitStatus{4, 0}));
    EXPECT_EQ(child->wait(), (ExitStatus{4, 0}));
    EXPECT_EQ(child->wait_nowait(), (ExitStatus{4, 0}));
    EXPECT_EQ(child->status(), (ExitStatus{4, 0}));
  });
}

TEST_F(ChildTest, ManyTasksMayWait) {
  int told = 0;
  run_tasks([&] {
    const auto child = start("exit_when_told");
    open_task_nursery([&](TaskNursery& nursery) {
      for (int i = 0; i < 10; ++i) {
        nursery.start_soon([&] { told += child->wait().code; });
      }
      nursery.start_soon([&] { say(child->lifeline_fd(), "4"); });
    });
  });
  EXPECT_EQ(told, 40);
}

TEST_F(ChildTest, ACancelledWaiterHandsOverToTheOthers) {
  int told = 0;
  run_tasks([&] {
    const auto child = start("exit_when_told");
    CancelScope first;
    open_task_nursery([&](TaskNursery& nursery) {
      nursery.start_soon([&] { first.run([&] { child->wait(); }); });
      for (int i = 0; i < 3; ++i) {
        nursery.start_soon([&] { told += child->wait().code; });
      }
      nursery.start_soon([&] {
        checkpoint();
        first.cancel();
        checkpoint();
        say(child->lifeline_fd(), "4");
      });
    });
    EXPECT_TRUE(first.cancelled_caught());
  });
  EXPECT_EQ(told, 12);
}

TEST_F(ChildTest, ACancelledWaitCanBeRepeated) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    for (int i = 0; i < 3; ++i) {
      CancelScope scope;
      scope.cancel();
      scope.run([&] { child->wait(); });
      EXPECT_TRUE(scope.cancelled_caught());
    }
    say(child->lifeline_fd(), "4");
    EXPECT_EQ(child->wait(), (ExitStatus{4, 0}));
  });
}

TEST_F(ChildTest, AWaiterHearsOfAnEndThatAnotherTaskHasReaped) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    ExitStatus heard;
    open_task_nursery([&](TaskNursery& nursery) {
      nursery.start_soon([&] { heard = child->wait(); });
      nursery.start_soon([&] {
        const UniqueFd process = open_pid(std::to_string(child->pid()));
        say(child->lifeline_fd(), "4");
        EXPECT_TRUE(ends_within(process.get(), std::chrono::seconds(20)));
        EXPECT_TRUE(child->wait_nowait().has_value());
      });
    });
    EXPECT_EQ(heard, (ExitStatus{4, 0}));
  });
}

TEST_F(ChildTest, SeesASigkillFromOutside) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    ::kill(child->pid(), SIGKILL);
    EXPECT_EQ(child->wait(), (ExitStatus{0, SIGKILL}));
  });
}

TEST_F(ChildTest, CanBeSentSignals) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    child->send_signal(SIGUSR1);
    EXPECT_EQ(child->wait(), (ExitStatus{0, SIGUSR1}));
  });
}

TEST_F(ChildTest, ADeadOneIsSentNothing) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    const UniqueFd process = open_pid(std::to_string(child->pid()));
    child->send_signal(SIGKILL);
    EXPECT_TRUE(ends_within(process.get(), std::chrono::seconds(20)));
    child->send_signal(SIGTERM);  // dead, but not reaped
    child->wait();
    child->send_signal(SIGTERM);
    EXPECT_EQ(child->status(), (ExitStatus{0, SIGKILL}));
  });
}

TEST_F(ChildTest, TheDestructorKillsAndReapsALivingOne) {
  run_tasks([] {
    auto child = start("ignore_everything");
    const std::string proc = "/proc/" + std::to_string(child->pid()) + "/stat";
    EXPECT_EQ(::access(proc.c_str(), F_OK), 0);
    child.reset();
    EXPECT_NE(::access(proc.c_str(), F_OK), 0);
    EXPECT_FALSE(has_children());
  });
}

TEST_F(ChildTest, TheDestructorReapsADeadOne) {
  run_tasks([] {
    auto child = start("exit_when_told");
    const UniqueFd process = open_pid(std::to_string(child->pid()));
    say(child->lifeline_fd(), "0");
    EXPECT_TRUE(ends_within(process.get(), std::chrono::seconds(20)));
    child.reset();
    EXPECT_FALSE(has_children());
  });
}

TEST_F(ChildTest, TheDestructorWorksOutsideOfALoop) {
  std::unique_ptr<Child> child;
  run_tasks([&] { child = start("ignore_everything"); });
  child.reset();
}

TEST_F(ChildTest, OtherChildrenAreLeftToThoseWhoStartedThem) {
  const pid_t other = ::fork();
  if (other == 0) ::_exit(5);
  run_tasks([] {
    const auto child = start("exit_when_told");
    say(child->lifeline_fd(), "4");
    EXPECT_EQ(child->wait(), (ExitStatus{4, 0}));
  });
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

TEST_F(ChildTest, AStatusThatTheProgramHasTakenIsUnknown) {
  run_tasks([] {
    const auto child = start("exit_when_told");
    say(child->lifeline_fd(), "4");
    ::waitpid(-1, nullptr, 0);
    EXPECT_EQ(child->wait(), ExitStatus::unknown());
    child->send_signal(SIGTERM);
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv, {{"exit_when_told", troupe::exit_when_told}});
}

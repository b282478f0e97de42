// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/forkserver.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/terminate.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using namespace troupe::testing;

// ----- roles

int report_random(Boot boot, const std::string&) {
  say(boot.lifeline.get(), std::to_string(::rand()));
  return 0;
}

int report_directory(Boot boot, const std::string&) {
  say(boot.lifeline.get(), std::filesystem::current_path());
  return 0;
}

// Tells its zygote's pid and gets stuck.
int hold_a_zygote(Boot boot, const std::string&) {
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    say(boot.lifeline.get(), std::to_string(forkserver.zygote_pid()));
    spin();
  });
  return 0;
}

// ----- helpers

std::string answer_of(Forkserver& forkserver, const SpawnSpec& spec) {
  const auto child = forkserver.spawn(spec);
  std::string answer = hear(child->lifeline_fd());
  EXPECT_TRUE(child->wait().ok());
  return answer;
}

// Collects what is logged while it lives.
class Warnings {
 public:
  Warnings() {
    set_log_sink([this](const LogRecord& record) { texts_.push_back(record.text); });
  }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings() { set_log_sink({}); }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

UniqueFd zygote_of(const Forkserver& forkserver) {
  return open_pid(std::to_string(forkserver.zygote_pid()));
}

class ForkserverTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
  Warnings warnings_;
};

// ----- tests

TEST_F(ForkserverTest, StartsNothingBeforeItsFirstUse) {
  run_tasks([&] {
    const Forkserver forkserver;
    EXPECT_EQ(forkserver.zygote_pid(), 0);
    EXPECT_FALSE(has_children());
  });
}

TEST_F(ForkserverTest, ForksAllChildrenFromOneZygote) {
  run_tasks([&] {
    Forkserver forkserver;
    EXPECT_TRUE(forkserver.spawn(role_spec("exit_with", "0"))->wait().ok());
    const pid_t zygote = forkserver.zygote_pid();
    EXPECT_NE(zygote, 0);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 3);
    }
    EXPECT_EQ(forkserver.zygote_pid(), zygote);
  });
  EXPECT_TRUE(warnings_.texts().empty());
}

TEST_F(ForkserverTest, TheZygoteIsNotNamedLikeAnActor) {
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    EXPECT_EQ(read_file("/proc/" + std::to_string(forkserver.zygote_pid()) + "/comm"),
              "troupe-zygote\n");
  });
}

TEST_F(ForkserverTest, AKilledZygoteIsReplaced) {
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    const pid_t first = forkserver.zygote_pid();
    const UniqueFd zygote = zygote_of(forkserver);
    ::kill(first, SIGKILL);
    ASSERT_TRUE(ends_within(zygote.get(), milliseconds(20'000)));
    EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 3);
    EXPECT_NE(forkserver.zygote_pid(), first);
  });
  EXPECT_TRUE(warnings_.texts().empty());
}

TEST_F(ForkserverTest, ChildrenOutliveTheZygote) {
  run_tasks([&] {
    std::unique_ptr<Child> child;
    {
      Forkserver forkserver;
      child = forkserver.spawn(role_spec("ignore_everything"));
      hear(child->lifeline_fd());
    }
    EXPECT_FALSE(child->wait_nowait().has_value());
    EXPECT_EQ(terminate(*child, milliseconds(0)), (ExitStatus{0, SIGKILL}));
  });
}

// A stopped zygote does not answer. A spawn that is given up ends it, and no child is left.
TEST_F(ForkserverTest, ASpawnIsCancelledThoughTheZygoteIsStopped) {
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    ::kill(forkserver.zygote_pid(), SIGSTOP);
    EXPECT_TRUE(move_on_after(milliseconds(20), [&] {
                  forkserver.spawn(role_spec("exit_with", "0"));
                }).cancelled_caught());
    EXPECT_EQ(forkserver.zygote_pid(), 0);
    EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 3);
  });
}

TEST_F(ForkserverTest, SpawnsThatAreCancelledAtAnyTimeLeaveNoProcess) {
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    for (int i = 0; i < 20; ++i) {
      move_on_after(std::chrono::microseconds(100 * i),
                    [&] { forkserver.spawn(role_spec("ignore_everything")); });
    }
    EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 3);
  });
}

TEST_F(ForkserverTest, TheZygoteDiesWithItsKilledOwner) {
  run_tasks([&] {
    const auto owner = spawn_exec(role_spec("hold_a_zygote"));
    const UniqueFd zygote = open_pid(hear(owner->lifeline_fd()));
    EXPECT_EQ(terminate(*owner, milliseconds(0)), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(zygote.get(), milliseconds(1000)));
  });
}

TEST_F(ForkserverTest, AProgramThatStartsThreadsEarlyIsExecutedWithOneWarning) {
  ::setenv("START_THREAD_EARLY", "1", 1);
  run_tasks([&] {
    Forkserver forkserver;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 3);
    }
  });
  ::unsetenv("START_THREAD_EARLY");
  ASSERT_EQ(warnings_.texts().size(), 1u);
  EXPECT_NE(warnings_.texts()[0].find("starts threads"), std::string::npos) << warnings_.texts()[0];
}

TEST_F(ForkserverTest, AProgramThatLeavesEarlyIsExecutedWithOneWarning) {
  ::setenv("LEAVE_EARLY", "1", 1);
  run_tasks([&] {
    Forkserver forkserver;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(forkserver.spawn(role_spec("exit_with", "3"))->wait().code, 17);
    }
  });
  ::unsetenv("LEAVE_EARLY");
  ASSERT_EQ(warnings_.texts().size(), 1u);
  EXPECT_NE(warnings_.texts()[0].find("init"), std::string::npos) << warnings_.texts()[0];
}

TEST_F(ForkserverTest, ChildrenDoNotShareTheStateOfRand) {
  run_tasks([&] {
    Forkserver forkserver;
    const std::string first = answer_of(forkserver, role_spec("report_random"));
    EXPECT_NE(answer_of(forkserver, role_spec("report_random")), first);
  });
}

TEST_F(ForkserverTest, ChildrenAreWhereTheParentIsNow) {
  const std::string before = std::filesystem::current_path();
  run_tasks([&] {
    Forkserver forkserver;
    forkserver.spawn(role_spec("exit_with", "0"))->wait();
    ASSERT_EQ(::chdir("/"), 0);
    EXPECT_EQ(answer_of(forkserver, role_spec("report_directory")), "/");
  });
  ASSERT_EQ(::chdir(before.c_str()), 0);
}

// An environment larger than the socket's buffer.
TEST_F(ForkserverTest, TheEnvironmentMayBeLarge) {
  run_tasks([&] {
    Forkserver forkserver;
    SpawnSpec spec = role_spec("report_variables", "SPAWN_TEST_LAST");
    for (int i = 0; i < 20; ++i) {
      spec.env.emplace_back("SPAWN_TEST_" + std::to_string(i), std::string(50'000, 'x'));
    }
    spec.env.emplace_back("SPAWN_TEST_LAST", "here");
    EXPECT_EQ(answer_of(forkserver, spec), "SPAWN_TEST_LAST=here;");
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv,
                                    {{"report_random", troupe::report_random},
                                     {"report_directory", troupe::report_directory},
                                     {"hold_a_zygote", troupe::hold_a_zygote}});
}

// SPDX-License-Identifier: Apache-2.0

// What holds for a child whatever backend has made it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/self_image.h"
#include "troupe/spawn/terminate.h"
#include "troupe/tests/spawn/backend.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using namespace troupe::testing;

constexpr std::size_t ten_mebibytes = 10 << 20;

// ----- roles

// The process in the middle, which is stuck: its child has been made by `backend`.
int hold_a_spinner(Boot boot, const std::string& backend) {
  run_tasks([&] {
    Backend spawner(backend);
    const auto child = spawner.spawn(role_spec("spin_watched"));
    say(boot.lifeline.get(), hear(child->lifeline_fd()));
    spin();
  });
  return 0;
}

int spawn_another(Boot boot, const std::string& backend) {
  run_tasks([&] {
    Backend spawner(backend);
    const auto child = spawner.spawn(role_spec("exit_with", "5"));
    say(boot.lifeline.get(), child->wait().to_string());
  });
  return 0;
}

// What the C library must know of a fresh process: threads, and locks that know their owner.
int use_threads(Boot, const std::string&) {
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  pthread_mutexattr_t kind;
  ::pthread_mutexattr_init(&kind);
  ::pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  ::pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  ::pthread_mutex_init(&mutex, &kind);
  const bool locks = ::pthread_mutex_lock(&mutex) == 0 && ::pthread_mutex_lock(&mutex) == EDEADLK &&
                     ::pthread_mutex_unlock(&mutex) == 0;
  bool other_thread_is_another = false;
  ::pthread_mutex_lock(&mutex);
  std::thread([&] { other_thread_is_another = ::pthread_mutex_unlock(&mutex) == EPERM; }).join();
  ::pthread_mutex_unlock(&mutex);
  return ran && locks && other_thread_is_another ? 0 : 1;
}

int report_comm(Boot boot, const std::string&) {
  say(boot.lifeline.get(), read_file("/proc/self/comm"));
  return 0;
}

// ----- tests

class BackendsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }

  bool is_launched() const { return std::string(GetParam()) == "launcher"; }

  ExitStatus status_of(const SpawnSpec& spec) {
    return run_tasks([&] {
      Backend backend(GetParam());
      return backend.spawn(spec)->wait();
    });
  }
  std::string answer_of(const SpawnSpec& spec) {
    return run_tasks([&] {
      Backend backend(GetParam());
      const auto child = backend.spawn(spec);
      std::string answer = hear(child->lifeline_fd());
      EXPECT_TRUE(child->wait().ok());
      return answer;
    });
  }
};

TEST_P(BackendsTest, ReportsTheExitCode) {
  EXPECT_EQ(status_of(role_spec("exit_with", "0")), (ExitStatus{0, 0}));
  EXPECT_EQ(status_of(role_spec("exit_with", "3")), (ExitStatus{3, 0}));
}

TEST_P(BackendsTest, ReportsTheSignal) {
  for (int signal : {SIGTERM, SIGABRT, SIGKILL}) {
    EXPECT_EQ(status_of(role_spec("die_of", std::to_string(signal))), (ExitStatus{0, signal}));
  }
}

TEST_P(BackendsTest, GivesTheBlobOctetByOctet) {
  EXPECT_EQ(answer_of(role_spec("report_argument_size", std::string("\0\n\xff", 3))), "3 265");
}

TEST_P(BackendsTest, GivesABlobLargerThanTheSocketsBuffer) {
  EXPECT_EQ(answer_of(role_spec("report_argument_size", std::string(ten_mebibytes, '\2'))),
            std::to_string(ten_mebibytes) + " " + std::to_string(2 * ten_mebibytes));
}

TEST_P(BackendsTest, TheChildIsThisProcessOwn) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(answer_of(role_spec("report_parent")), (is_launched() ? "0 " : me + " ") + me);
}

TEST_P(BackendsTest, TheChildHasTheParentsArgv) {
  std::string mine;
  for (const std::string& argument : original_argv()) mine += "[" + argument + "]";
  EXPECT_EQ(answer_of(role_spec("report_argv")), mine);
}

TEST_P(BackendsTest, TheChildHasTheArgvGiven) {
  SpawnSpec spec = role_spec("report_argv");
  spec.argv = {"zero", "", "two words; $HOME", "\xff"};
  EXPECT_EQ(answer_of(spec), "[zero][][two words; $HOME][\xff]");
}

TEST_P(BackendsTest, VariablesAreAddedAndReplaced) {
  ::setenv("SPAWN_TEST_REPLACED", "old", 1);
  SpawnSpec spec = role_spec("report_variables", "SPAWN_TEST_REPLACED SPAWN_TEST_NEW TROUPE_CHILD");
  spec.env = {{"SPAWN_TEST_REPLACED", "1"}, {"SPAWN_TEST_NEW", "a=b"}, {"SPAWN_TEST_REPLACED", ""}};
  EXPECT_EQ(answer_of(spec), "SPAWN_TEST_REPLACED=;SPAWN_TEST_NEW=a=b;TROUPE_CHILD=<unset>;");
  EXPECT_STREQ(std::getenv("SPAWN_TEST_REPLACED"), "old");
}

// Also those that have changed since the zygote was started.
TEST_P(BackendsTest, TheEnvironmentIsThatOfTheParentUnlessALauncherHidesIt) {
  run_tasks([&] {
    Backend backend(GetParam());
    ::setenv("SPAWN_TEST_KEPT", "first", 1);
    EXPECT_TRUE(backend.spawn(role_spec("exit_with", "0"))->wait().ok());
    ::setenv("SPAWN_TEST_KEPT", "second", 1);
    const auto child = backend.spawn(role_spec("report_variables", "SPAWN_TEST_KEPT"));
    EXPECT_EQ(hear(child->lifeline_fd()),
              is_launched() ? "SPAWN_TEST_KEPT=<unset>;" : "SPAWN_TEST_KEPT=second;");
    child->wait();
  });
}

TEST_P(BackendsTest, TheChildSeesNoneOfTheParentsDescriptors) {
  const UniqueFd careless(::open("/dev/null", O_RDONLY));  // no O_CLOEXEC
  const UniqueFd far(::fcntl(careless.get(), F_DUPFD, 200));
  EXPECT_EQ(answer_of(role_spec("report_descriptors")), "0 1 2 3");
}

TEST_P(BackendsTest, StdinIsNullAndTheRestIsInherited) {
  EXPECT_EQ(answer_of(role_spec("report_stdio")), "/dev/null " + target_of(1) + " " + target_of(2));
}

TEST_P(BackendsTest, TheChildBlocksAndIgnoresNoSignal) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  ::signal(SIGINT, SIG_IGN);
  const std::string answer = answer_of(role_spec("report_signals"));
  ::signal(SIGINT, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(answer, "0 0 ");
}

TEST_P(BackendsTest, TheParentKeepsNoDescriptorOfAnEndedChild) {
  run_tasks([&] {
    Backend backend(GetParam());
    backend.spawn(role_spec("exit_with", "0"))->wait();
    const std::string before = open_descriptors();
    for (const Stdio stdio : {Stdio::direct, Stdio::inherit, Stdio::prefixed}) {
      SpawnSpec spec = role_spec("exit_with", "0");
      spec.stdio = stdio;
      backend.spawn(spec)->wait();
      EXPECT_EQ(open_descriptors(), before);
    }
  });
}

TEST_P(BackendsTest, TheChildCanUseThreadsAndLocks) {
  EXPECT_TRUE(status_of(role_spec("use_threads")).ok());
}

TEST_P(BackendsTest, TheChildHasTheProgramsName) {
  EXPECT_EQ(answer_of(role_spec("report_comm")), "exe");
}

TEST_P(BackendsTest, KillsAChildThatIgnoresEverything) {
  run_tasks([&] {
    Backend backend(GetParam());
    const auto child = backend.spawn(role_spec("ignore_everything"));
    hear(child->lifeline_fd());
    EXPECT_EQ(terminate(*child, milliseconds(0)), (ExitStatus{0, SIGKILL}));
  });
}

TEST_P(BackendsTest, TheDestructorKillsAndReapsALivingChild) {
  run_tasks([&] {
    Backend backend(GetParam());
    auto child = backend.spawn(role_spec("ignore_everything"));
    const UniqueFd process = open_pid(hear(child->lifeline_fd()));
    child.reset();
    EXPECT_TRUE(ends_within(process.get(), milliseconds(1000)));
  });
}

TEST_P(BackendsTest, AProcessThatSpinsDiesWithItsKilledParent) {
  run_tasks([&] {
    Backend middle_backend("exec");
    const auto middle = middle_backend.spawn(role_spec("hold_a_spinner", GetParam()));
    const UniqueFd spinner = open_pid(hear(middle->lifeline_fd()));
    EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(spinner.get(), milliseconds(1000)));
  });
}

// SPN-16: trees of any depth; here the child of each backend makes one by the same.
TEST_P(BackendsTest, AChildCanSpawn) {
  EXPECT_EQ(answer_of(role_spec("spawn_another", GetParam())), "exit code 5");
}

// SPN-17: spawn calls in several tasks of one nursery each get their child.
TEST_P(BackendsTest, ManyTasksMaySpawnAtOnce) {
  int sum = 0;
  run_tasks([&] {
    Backend backend(GetParam());
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 1; i <= 8; ++i) {
        n.start_soon([&backend, &sum, i] {
          sum += backend.spawn(role_spec("exit_with", std::to_string(i)))->wait().code;
        });
      }
    });
  });
  EXPECT_EQ(sum, 36);
}

TEST_P(BackendsTest, AChildThatLeavesBeforeItTakesItsRecordIsReported) {
  SpawnSpec spec = role_spec("exit_with", "0");
  spec.env = {{"LEAVE_EARLY", "1"}};
  const std::string name = GetParam();
  if (name == "forkserver") {  // there it would be the zygote's affair
    ::setenv("LEAVE_EARLY", "1", 1);
  }
  EXPECT_EQ(status_of(spec), (ExitStatus{17, 0}));
  ::unsetenv("LEAVE_EARLY");
}

TEST_P(BackendsTest, ACancelledSpawnLeavesNoProcess) {
  SpawnSpec spec = role_spec("exit_with", std::string(ten_mebibytes, '0'));
  ::setenv("HANG_EARLY", "1", 1);
  spec.env = {{"HANG_EARLY", "1"}};
  run_tasks([&] {
    Backend backend(GetParam());
    EXPECT_TRUE(move_on_after(milliseconds(20), [&] { backend.spawn(spec); }).cancelled_caught());
  });
  ::unsetenv("HANG_EARLY");
}

INSTANTIATE_TEST_SUITE_P(All, BackendsTest, ::testing::Values("exec", "forkserver", "launcher"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv,
                                    {{"hold_a_spinner", troupe::hold_a_spinner},
                                     {"spawn_another", troupe::spawn_another},
                                     {"use_threads", troupe::use_threads},
                                     {"report_comm", troupe::report_comm}});
}

// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/terminate.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace troupe::testing;

// Ends as soon as it is asked to: its life-line is hung up.
int end_when_asked(Boot boot, const std::string&) {
  say(boot.lifeline.get(), "ready");
  hear(boot.lifeline.get());
  return 6;
}

std::unique_ptr<Child> start(const std::string& role) {
  auto child = spawn_exec(role_spec(role));
  hear(child->lifeline_fd());
  return child;
}

void ask_to_end(const Child& child) { ::shutdown(child.lifeline_fd(), SHUT_RDWR); }

class TerminateTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
};

TEST_F(TerminateTest, ReturnsAsSoonAsTheChildHasEnded) {
  run_tasks([] {
    const auto child = start("end_when_asked");
    ask_to_end(*child);
    EXPECT_EQ(terminate(*child, seconds(3600)), (ExitStatus{6, 0}));
  });
}

TEST_F(TerminateTest, KillsAChildThatIgnoresEverything) {
  run_tasks([] {
    const auto child = start("ignore_everything");
    child->send_signal(SIGTERM);
    ask_to_end(*child);
    EXPECT_EQ(terminate(*child, milliseconds(20)), (ExitStatus{0, SIGKILL}));
  });
}

TEST_F(TerminateTest, KillsAtOnceWithoutGrace) {
  run_tasks([] {
    const auto child = start("ignore_everything");
    EXPECT_EQ(terminate(*child, milliseconds(0)), (ExitStatus{0, SIGKILL}));
  });
}

TEST_F(TerminateTest, KillsAStoppedChild) {
  run_tasks([] {
    const auto child = start("end_when_asked");
    child->send_signal(SIGSTOP);
    EXPECT_EQ(terminate(*child, milliseconds(20)), (ExitStatus{0, SIGKILL}));
  });
}

TEST_F(TerminateTest, ReapsAChildThatIsDeadAlready) {
  run_tasks([] {
    const auto child = start("end_when_asked");
    ask_to_end(*child);
    child->wait();
    EXPECT_EQ(terminate(*child, seconds(3600)), (ExitStatus{6, 0}));
  });
}

TEST_F(TerminateTest, ACancellationDoesNotCutItShort) {
  run_tasks([] {
    const auto child = start("end_when_asked");
    CancelScope scope;
    scope.cancel();
    scope.run([&] {
      ask_to_end(*child);
      EXPECT_EQ(terminate(*child, seconds(3600)), (ExitStatus{6, 0}));
    });
  });
}

TEST_F(TerminateTest, ANegativeGraceIsUsageError) {
  run_tasks([] {
    const auto child = start("end_when_asked");
    EXPECT_THROW(terminate(*child, milliseconds(-1)), UsageError);
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv, {{"end_when_asked", troupe::end_when_asked}});
}

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/task_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/pipe.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

// The line that has `text`, without the indentation; empty when there is none.
std::string line_with(const std::string& tree, const std::string& text) {
  std::size_t begin = tree.find(text);
  if (begin == std::string::npos) return "";
  return tree.substr(begin, tree.find('\n', begin) - begin);
}

std::size_t indentation_of(const std::string& tree, const std::string& text) {
  const std::size_t at = tree.find(text);
  return at == std::string::npos ? 0 : at - (tree.rfind('\n', at) + 1);
}

TEST(TaskTreeTest, ShowsNamePlaceWaitAndTime) {
  testing::VirtualClock clock;
  const auto body = [] {
    Event event;
    std::string tree;
    unsigned int line = 0;
    open_task_nursery([&](TaskNursery& n) {
      line = __LINE__ + 1;
      n.start_soon("librarian", [&] { event.wait(); });
      wait_all_tasks_blocked();
      sleep(2s);
      tree = task_tree();
      event.set();
    });
    const std::string found = line_with(tree, "librarian");
    EXPECT_EQ(found.find("librarian (task_tree_test.cc:" + std::to_string(line) +
                         "): waits for Event::wait, since 2.000 s"),
              0u)
        << tree;
    EXPECT_NE(line_with(tree, "main (").find("runs"), std::string::npos) << tree;
  };
  testing::run(body, {.clock = &clock});
}

TEST(TaskTreeTest, NestsTasksBelowTheNurseriesThatTheyWereStartedIn) {
  testing::run([] {
    std::string tree;
    open_task_nursery([&](TaskNursery& outer) {
      outer.start_soon("child", [] {
        open_task_nursery([](TaskNursery& n) {
          n.start_soon("grandchild", [] { sleep_forever(); });
          n.start_soon("other grandchild", [] { sleep_forever(); });
        });
      });
      open_task_nursery([&](TaskNursery& inner) {
        inner.start_soon("inner child", [] { sleep_forever(); });
        wait_all_tasks_blocked();
        tree = task_tree();
        inner.cancel();
      });
      outer.cancel();
    });
    const std::size_t main = indentation_of(tree, "main (");
    const std::size_t child = indentation_of(tree, "child (");
    EXPECT_GT(child, main) << tree;
    EXPECT_GT(indentation_of(tree, "grandchild ("), child) << tree;
    EXPECT_EQ(indentation_of(tree, "other grandchild ("), indentation_of(tree, "grandchild ("))
        << tree;
    EXPECT_EQ(indentation_of(tree, "inner child ("), child) << tree;
    EXPECT_NE(tree.find("calls from other threads"), std::string::npos) << tree;
    EXPECT_NE(line_with(tree, "grandchild (").find("waits for sleep"), std::string::npos) << tree;
  });
}

TEST(TaskTreeTest, SaysWhatIsCancelledAndWhatIsReady) {
  testing::run([] {
    std::string tree;
    Event event;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("shielded", [&] {
        CancelScope shield({.shield = true});
        shield.run([&] { event.wait(); });
      });
      wait_all_tasks_blocked();
      n.start_soon("newcomer", [] {});
      n.cancel();
      tree = task_tree();
      event.set();
    });
    EXPECT_NE(tree.find("nursery, cancelled"), std::string::npos) << tree;
    EXPECT_NE(line_with(tree, "newcomer").find("is ready"), std::string::npos) << tree;
  });
}

TEST(TaskTreeTest, CutsWhatIsTooLong) {
  testing::run([] {
    std::string tree;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 1500; ++i) n.start_soon("one of many", [] { sleep_forever(); });
      wait_all_tasks_blocked();
      tree = task_tree();
      n.cancel();
    });
    EXPECT_NE(tree.find("... and 500 more"), std::string::npos);
  });
}

// Deep trees are printed without recursion.
void nest(int depth, std::string& tree) {
  if (depth == 0) {
    tree = task_tree();
    return;
  }
  open_task_nursery([&](TaskNursery& n) { n.start_soon("level", [&] { nest(depth - 1, tree); }); });
}

TEST(TaskTreeTest, PrintsDeepTrees) {
  testing::run([] {
    std::string tree;
    nest(1000, tree);
    EXPECT_GT(indentation_of(tree, "runs"), 3000u);
  });
}

TEST(TaskTreeTest, OutsideOfARunIsAnError) { EXPECT_THROW(task_tree(), UsageError); }

// Sends what is written to stderr into a pipe while it lives.
class CapturedStderr {
 public:
  CapturedStderr() : old_(::dup(STDERR_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    reader_.reset(ends[0]);
  }
  ~CapturedStderr() { ::dup2(old_.get(), STDERR_FILENO); }
  UniqueFd take_reader() { return std::move(reader_); }

 private:
  UniqueFd old_;
  UniqueFd reader_;
};

// When the options ask for it, SIGUSR1 prints the tree on stderr; the run goes on.
TEST(TaskTreeTest, Sigusr1PrintsTheTree) {
  CapturedStderr captured;
  std::string printed;
  testing::run(
      [&] {
        PipeReader reader(captured.take_reader());
        for (int i = 0; i < 2; ++i) {
          ::kill(::getpid(), SIGUSR1);
          printed = reader.read_some();
        }
      },
      {.dump_on_sigusr1 = true});
  EXPECT_NE(printed.find("asked for by SIGUSR1"), std::string::npos) << printed;
  EXPECT_NE(printed.find("main ("), std::string::npos) << printed;
}

// The wait for that signal does not hide a deadlock.
TEST(TaskTreeTest, WaitingForSigusr1DoesNotHideADeadlock) {
  testing::VirtualClock clock;
  EXPECT_THROW(testing::run([] { sleep_forever(); }, {.clock = &clock, .dump_on_sigusr1 = true}),
               DeadlockError);
}

// T-NUR-18: the tree of tasks and nurseries can be walked down and up, and what was read of it
// stays true after the tasks have ended.
TEST(TaskTreeTest, SnapshotsCanBeWalkedBothWays) {
  testing::run([] {
    std::vector<TaskInfo> tasks;
    open_task_nursery([&](TaskNursery& outer) {
      outer.start_soon("parent", [] {
        open_task_nursery([](TaskNursery& inner) {
          inner.start_soon("child", [] { sleep_forever(); });
          inner.start_soon("other child", [] { sleep_forever(); });
        });
      });
      wait_all_tasks_blocked();
      tasks = task_snapshot();
      outer.cancel();
    });
    const auto named = [&](const std::string& name) {
      for (const TaskInfo& task : tasks) {
        if (task.name == name) return task;
      }
      ADD_FAILURE() << "no task " << name;
      return TaskInfo{};
    };
    EXPECT_EQ(named("child").parent, named("parent").id);
    EXPECT_EQ(named("other child").parent, named("parent").id);
    EXPECT_EQ(named("parent").parent, named("main").id);
    EXPECT_FALSE(named("main").parent.has_value());
    EXPECT_EQ(named("child").waits_for, "sleep");
  });
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

// Starting actors: what is there when a start returns, trees of them, many at once, what happens at
// an actor's exit, and what there is without any.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorNursery;
using troupe::Portal;
using troupe::testing::note;
using troupe::testing::Notebook;

int pid_of_actor() { return static_cast<int>(getpid()); }
int answer() { return 42; }
void says_nothing() {}
void sleep_for_ever() { troupe::sleep_forever(); }
bool is_arbiter() { return troupe::current_actor().is_arbiter(); }
inline const auto& stage = troupe::module<"stage", &pid_of_actor, &answer, &sleep_for_ever>;

template <class Body>
void in_nursery(Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
}

bool is_gone(int pid) { return kill(pid, 0) != 0; }

// ---- One ----

// SPN-01: the same function, seen from the child, is not in the registrar.
TEST(SpawningTest, AChildIsNotTheRegistrar) {
  in_nursery([](ActorNursery& n) {
    EXPECT_TRUE(is_arbiter());
    EXPECT_FALSE(n.run_in_actor<&is_arbiter>("child").result());
  });
}

// SPN-02: when the start returns, the child is in the nursery exactly once, and connected.
TEST(SpawningTest, AStartReturnsWhenTheChildIsConnected) {
  in_nursery([](ActorNursery& n) {
    const Portal frank = n.start_actor("frank");
    EXPECT_TRUE(frank.connected());
    EXPECT_EQ(n.actors(), std::vector<troupe::Uid>{frank.uid()});
    EXPECT_EQ(n.child_count(), 1u);
    const auto one_shot = n.run_in_actor<&says_nothing>("mime");
    EXPECT_TRUE(one_shot.connected());
    EXPECT_EQ(n.child_count(), 2u);
    frank.cancel_actor();
  });
}

// SPN-03 and SPN-04: a daemon answers until it is cancelled; the block ends with it, not before.
TEST(SpawningTest, ADaemonKeepsTheBlockOpen) {
  troupe::open_root_actor({}, [] {
    bool left = false;
    std::optional<Portal> frank;
    troupe::open_task_nursery([&](troupe::TaskNursery& outer) {
      outer.start_soon([&] {
        troupe::open_nursery(
            [&](ActorNursery& n) { frank = n.start_actor("frank", {.enable_modules = {stage}}); });
        left = true;
      });
      while (!frank) troupe::sleep(1ms);
      EXPECT_EQ(frank->run<&answer>(), 42);
      EXPECT_EQ(frank->run<&answer>(), 42);
      EXPECT_FALSE(left);
      frank->cancel_actor();
    });
    EXPECT_TRUE(left);
  });
}

// SPN-07: when its result is there, a one-shot leaves with the block and is reaped by itself.
TEST(SpawningTest, AOneShotIsReapedByItself) {
  int pid = 0;
  in_nursery([&](ActorNursery& n) {
    const auto child = n.run_in_actor<&pid_of_actor>("child");
    pid = child.result();
    EXPECT_EQ(child.run<&pid_of_actor>(), pid);  // it serves on, until the body has ended
  });
  EXPECT_TRUE(is_gone(pid));
}

// A one-shot's call is on its way when its start returns, even if the parent computes from then on.
void says_that_it_runs(const std::string& path) { note(path, "runs"); }
TEST(SpawningTest, AOneShotRunsWhileItsParentComputes) {
  const Notebook notes;
  in_nursery([&](ActorNursery& n) {
    n.run_in_actor<&says_that_it_runs>("child", notes.path());
    while (notes.lines().empty()) ::usleep(1000);  // the loop stands still
  });
}

TEST(SpawningTest, ANurseryThatHasEndedStartsNothing) {
  troupe::open_root_actor({}, [] {
    ActorNursery* kept = nullptr;
    troupe::open_nursery([&](ActorNursery& n) { kept = &n; });
    EXPECT_THROW(kept->start_actor("late"), troupe::UsageError);
    EXPECT_THROW(kept->run_in_actor<&answer>("late"), troupe::UsageError);
  });
}

// ---- Many ----

// SPN-17: starts in several tasks go on side by side, and all belong to the nursery.
TEST(SpawningTest, StartsInTasksGoOnSideBySide) {
  in_nursery([](ActorNursery& n) {
    std::vector<Portal> started;
    troupe::open_task_nursery([&](troupe::TaskNursery& starters) {
      for (int i = 0; i < 4; ++i) {
        starters.start_soon([&n, &started, i] {
          started.push_back(
              n.start_actor("actor-" + std::to_string(i), {.enable_modules = {stage}}));
        });
      }
    });
    EXPECT_EQ(n.actors().size(), 4u);
    std::set<int> pids;
    for (const Portal& portal : started) pids.insert(portal.run<&pid_of_actor>());
    EXPECT_EQ(pids.size(), 4u);
    n.cancel();
  });
}

// SPN-16: trees of any depth.
int sum_of_tree(int depth) {
  if (depth == 0) return 1;
  int sum = 0;
  troupe::open_nursery([&](ActorNursery& n) {
    auto left = n.run_in_actor<&sum_of_tree>("left", depth - 1);
    auto right = n.run_in_actor<&sum_of_tree>("right", depth - 1);
    sum = left.result() + right.result();
  });
  return sum;
}
TEST(SpawningTest, ActorsNestToAnyDepth) {
  in_nursery(
      [](ActorNursery& n) { EXPECT_EQ(n.run_in_actor<&sum_of_tree>("top", 3).result(), 8); });
}

// ---- The exit ----

void leave_file(const std::string& path) {
  troupe::current_actor().on_exit([path] { unlink(path.c_str()); });
}
void leave_file_and_throw(const std::string& path) {
  leave_file(path);
  throw std::out_of_range("after all");
}
void leave_file_and_sleep(const std::string& path, const std::string& ready) {
  leave_file(path);
  note(ready, "ready");
  troupe::sleep_forever();
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// SPN-18: what was given to on_exit has run when the actor is gone, whether its function returned,
// threw, or was cancelled.
TEST(SpawningTest, ExitCallbacksRunHoweverTheActorEnds) {
  const Notebook returns;
  in_nursery([&](ActorNursery& n) { n.run_in_actor<&leave_file>("actor", returns.path()); });
  EXPECT_FALSE(exists(returns.path()));

  const Notebook throws;
  EXPECT_THROW(in_nursery([&](ActorNursery& n) {
                 n.run_in_actor<&leave_file_and_throw>("actor", throws.path());
               }),
               troupe::RemoteActorError);
  EXPECT_FALSE(exists(throws.path()));

  const Notebook cancelled;
  const Notebook ready;
  in_nursery([&](ActorNursery& n) {
    n.run_in_actor<&leave_file_and_sleep>("actor", cancelled.path(), ready.path());
    while (ready.lines().empty()) troupe::sleep(1ms);
    n.cancel();
  });
  EXPECT_FALSE(exists(cancelled.path()));
}

void give_callbacks(const std::string& path) {
  troupe::current_actor().on_exit([path] { note(path, "given first"); });
  troupe::current_actor().on_exit([] { throw std::runtime_error("a clumsy one"); });
  troupe::current_actor().on_exit([path] {
    troupe::sleep(1ms);  // may wait
    troupe::current_actor().on_exit([path] { note(path, "given meanwhile"); });
    note(path, "given last");
  });
}

// The last given is called first, and an error of one keeps none from being called.
TEST(SpawningTest, ExitCallbacksRunInReverseOrder) {
  const Notebook notes;
  in_nursery([&](ActorNursery& n) { n.run_in_actor<&give_callbacks>("actor", notes.path()); });
  EXPECT_EQ(notes.lines(),
            (std::vector<std::string>{"given last", "given meanwhile", "given first"}));
}

TEST(SpawningTest, TheRootHasAnExitToo) {
  std::string said;
  EXPECT_THROW(troupe::open_root_actor({},
                                       [&] {
                                         troupe::current_actor().on_exit([&] { said = "bye"; });
                                         throw std::out_of_range("after all");
                                       }),
               std::out_of_range);
  EXPECT_EQ(said, "bye");
}

// ---- The root ----

// SPN-20: without a runtime, whatever needs one says so at once.
TEST(SpawningTest, WithoutARuntimeThereAreNoActors) {
  EXPECT_THROW(troupe::open_nursery([] {}), troupe::UsageError);
  EXPECT_THROW(troupe::find_actor("anyone"), troupe::UsageError);
  EXPECT_THROW(troupe::wait_for_actor("anyone"), troupe::UsageError);
  EXPECT_THROW(troupe::get_arbiter(), troupe::UsageError);
  EXPECT_THROW(troupe::current_actor(), troupe::UsageError);
}

// SPN-21: without children the root is an ordinary program of tasks, and the registrar.
TEST(SpawningTest, ARootAloneIsTheRegistrar) {
  troupe::open_root_actor({}, [] {
    troupe::sleep(1ms);
    EXPECT_TRUE(troupe::current_actor().is_root());
    EXPECT_TRUE(troupe::current_actor().is_arbiter());
    EXPECT_EQ(troupe::current_actor().name(), "root");
    EXPECT_EQ(troupe::current_actor().parent_uid(), std::nullopt);
  });
}

// ROOT-01: there is one root in a process at a time.
TEST(SpawningTest, ASecondRootIsAUsageError) {
  troupe::open_root_actor(
      {}, [] { EXPECT_THROW(troupe::open_root_actor({}, [] {}), troupe::UsageError); });
}

// ROOT-03 and ROOT-04: the runtime starts with the first nursery, and leaves nothing behind that
// keeps the next root from starting.
TEST(SpawningTest, RootsCanFollowEachOther) {
  std::set<troupe::Uid> uids;
  for (int i = 0; i < 3; ++i) {
    in_nursery([&](ActorNursery& n) {
      EXPECT_EQ(n.run_in_actor<&answer>("oracle").result(), 42);
      uids.insert(troupe::current_actor().uid());
    });
  }
  EXPECT_EQ(uids.size(), 3u);
  EXPECT_THROW(troupe::current_actor(), troupe::UsageError);
}

// ROOT-05: an error of the root's body comes out unchanged.
TEST(SpawningTest, AnErrorOfTheRootComesOutUnchanged) {
  const auto thrown = std::make_exception_ptr(std::out_of_range("the root's"));
  try {
    troupe::open_root_actor({}, [&] { std::rethrow_exception(thrown); });
    FAIL() << "nothing was thrown";
  } catch (const std::out_of_range&) {
    EXPECT_EQ(std::current_exception(), thrown);
  }
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// Ending actors: asked, given their time, killed, reaped. Stopped and spinning ones, those that do
// not want to, those that are not up yet; each by itself, and level by level.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorNursery;
using troupe::Portal;
using troupe::testing::note;
using troupe::testing::Notebook;

int pid_of_actor() { return static_cast<int>(getpid()); }
void spin() {
  for (volatile bool busy = true; busy;) {
  }
}
void ignore_the_request() {
  troupe::CancelScope deaf({.shield = true});
  deaf.run([] { troupe::sleep_forever(); });
}
void stop_oneself() { raise(SIGSTOP); }
void sleep_for_ever() { troupe::sleep_forever(); }
void block() { ::pause(); }  // with no checkpoint, and no signal to end it
void note_at_exit(const std::string& path, const std::string& line) {
  troupe::current_actor().on_exit([path, line] { note(path, line); });
}
inline const auto& stage = troupe::module<"stage", &pid_of_actor, &spin, &ignore_the_request,
                                          &stop_oneself, &sleep_for_ever, &block, &note_at_exit>;

template <class Body>
void in_nursery(Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
}

bool is_gone(int pid) { return kill(pid, 0) != 0; }

// Lets the loop run until the process is gone.
void wait_until_gone(int pid) {
  while (!is_gone(pid)) troupe::sleep(1ms);
}

// Processes whose parent is this one, those that are being started included.
std::vector<int> child_processes() {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text;
    std::getline(file, text);
    const std::size_t end = text.rfind(')');
    if (end == std::string::npos || end + 4 >= text.size()) continue;
    if (std::stoi(text.substr(end + 4)) == getpid()) found.push_back(std::stoi(name));
  }
  return found;
}

// Collects warnings while it lives.
class Warnings {
 public:
  Warnings() {
    troupe::set_log_sink([this](const troupe::LogRecord& record) { text_ += record.text + "\n"; });
  }
  ~Warnings() { troupe::set_log_sink(nullptr); }
  bool contain(const std::string& part) const { return text_.find(part) != std::string::npos; }

 private:
  std::string text_;
};

// ---- Who does not end when asked ----

template <auto F>
void expect_killed() {
  const Warnings warnings;
  int pid = 0;
  in_nursery([&](ActorNursery& n) {
    const Portal stuck = n.start_actor("stuck", {.enable_modules = {stage}, .shutdown = 50ms});
    pid = stuck.run<&pid_of_actor>();
    n.start_soon([stuck] { stuck.run<F>(); });
    troupe::sleep(0s);  // the call is on its way
    n.cancel();
  });
  EXPECT_TRUE(is_gone(pid));
  EXPECT_TRUE(warnings.contain("'stuck' (pid " + std::to_string(pid) + ") did not end within"));
}

// CAN-24: who ignores all but SIGKILL is killed and reaped before the nursery is left.
TEST(KillLadderTest, ASpinningActorIsKilled) { expect_killed<&spin>(); }
TEST(KillLadderTest, AStoppedActorIsKilled) { expect_killed<&stop_oneself>(); }
TEST(KillLadderTest, ABlockedActorIsKilled) { expect_killed<&block>(); }
TEST(KillLadderTest, AnActorThatShieldsItselfIsKilled) { expect_killed<&ignore_the_request>(); }

// CAN-22: grace 0: killed at once, without a word.
TEST(KillLadderTest, AGraceOfZeroIsNoGrace) {
  const Warnings warnings;
  const Notebook exits;
  in_nursery([&](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}, .shutdown = 0s});
    frank.run<&note_at_exit>(exits.path(), "left");
    n.cancel();
  });
  EXPECT_TRUE(exits.lines().empty());
  EXPECT_FALSE(warnings.contain("did not end"));
}

TEST(KillLadderTest, WhoEndsInTimeIsNotKilled) {
  const Warnings warnings;
  const Notebook exits;
  in_nursery([&](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    frank.run<&note_at_exit>(exits.path(), "left");
    n.start_soon([frank] { frank.run<&sleep_for_ever>(); });
    troupe::sleep(0s);
    n.cancel();
  });
  EXPECT_EQ(exits.lines().size(), 1u);
  EXPECT_FALSE(warnings.contain("did not end"));
}

// ---- Each by itself ----

// CAN-19: the child that does not react is escalated alone, and the nursery is left in bounded
// time.
TEST(KillLadderTest, ASlowOneHoldsUpNobodyAndNobodyHoldsUpIt) {
  troupe::open_root_actor({}, [] {
    int patient = 0;
    int hasty = 0;
    int quick = 0;
    troupe::Event started;
    troupe::open_task_nursery([&](troupe::TaskNursery& outer) {
      outer.start_soon([&] {
        troupe::open_nursery([&](ActorNursery& n) {
          const auto start = [&](const char* name, std::chrono::nanoseconds grace) {
            return n.start_actor(name, {.enable_modules = {stage}, .shutdown = grace})
                .run<&pid_of_actor>();
          };
          patient = start("patient", 1h);
          hasty = start("hasty", 50ms);
          quick = start("quick", 1h);
          kill(patient, SIGSTOP);
          kill(hasty, SIGSTOP);
          n.cancel();
          started.set();
        });
      });
      started.wait();
      wait_until_gone(quick);  // it need not wait for the stopped ones
      wait_until_gone(hasty);  // nor this one for the other
      EXPECT_FALSE(is_gone(patient));
      kill(patient, SIGCONT);  // and is in time, still
    });
    EXPECT_TRUE(is_gone(patient));
  });
}

// ---- Half-booted ----

// A start that is cancelled leaves nothing behind, and the nursery goes on.
TEST(KillLadderTest, AHalfBootedActorIsKilled) {
  in_nursery([](ActorNursery& n) {
    ASSERT_TRUE(child_processes().empty());
    troupe::CancelScope scope;
    troupe::open_task_nursery([&](troupe::TaskNursery& starter) {
      starter.start_soon([&] { scope.run([&] { n.start_actor("unborn"); }); });
      while (child_processes().empty()) troupe::checkpoint();
      scope.cancel();  // before the loop can have heard of it
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_TRUE(child_processes().empty());
    EXPECT_TRUE(n.actors().empty());
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    EXPECT_NE(frank.run<&pid_of_actor>(), getpid());
    frank.cancel_actor();
  });
}

TEST(KillLadderTest, AStoppedHalfBootedActorIsKilled) {
  in_nursery([](ActorNursery& n) {
    troupe::CancelScope scope;
    troupe::open_task_nursery([&](troupe::TaskNursery& starter) {
      starter.start_soon([&] { scope.run([&] { n.start_actor("unborn"); }); });
      while (child_processes().empty()) troupe::checkpoint();
      for (const int pid : child_processes()) kill(pid, SIGSTOP);
      scope.cancel();
    });
    EXPECT_TRUE(child_processes().empty());
  });
}

TEST(KillLadderTest, ACancelledNurseryStartsNoProcess) {
  bool cancelled = false;
  in_nursery([&](ActorNursery& n) {
    n.cancel();
    try {
      n.start_actor("unborn");
    } catch (const troupe::Cancelled&) {
      cancelled = child_processes().empty();
      throw;
    }
  });
  EXPECT_TRUE(cancelled);
}

// ---- cancel_actor ----

// CAN-20: when it does not end in time: false, and no error. Its ladder goes on meanwhile.
TEST(KillLadderTest, CancelActorIsBounded) {
  in_nursery([](ActorNursery& n) {
    const Portal stuck = n.start_actor("stuck", {.enable_modules = {stage}, .shutdown = 50ms});
    const int pid = stuck.run<&pid_of_actor>();
    kill(pid, SIGSTOP);
    EXPECT_FALSE(stuck.cancel_actor(1ms));
    wait_until_gone(pid);
    EXPECT_THROW(stuck.run<&pid_of_actor>(), troupe::TransportClosed);
  });
}

TEST(KillLadderTest, CancelActorOfAKilledOneIsFalse) {
  in_nursery([](ActorNursery& n) {
    const Portal stuck = n.start_actor("stuck", {.enable_modules = {stage}, .shutdown = 10ms});
    kill(stuck.run<&pid_of_actor>(), SIGSTOP);
    EXPECT_FALSE(stuck.cancel_actor(1min));
  });
}

// It is shielded from its caller's own cancellation.
TEST(KillLadderTest, CancelActorIsShielded) {
  in_nursery([](ActorNursery& n) {
    const Portal frank = n.start_actor("frank");
    troupe::CancelScope scope;
    scope.cancel();
    scope.run([&] { EXPECT_TRUE(frank.cancel_actor()); });
  });
}

// ---- Level by level ----

void spin_below(const std::string& path) {
  troupe::open_nursery([&](ActorNursery& n) {
    troupe::current_actor().on_exit([path] { note(path, "in order"); });
    const Portal stuck = n.start_actor("stuck", {.enable_modules = {stage}});
    note(path, std::to_string(stuck.run<&pid_of_actor>()));
    stuck.run<&spin>();
  });
}

std::string first_note(const Notebook& notebook) {
  while (notebook.lines().empty()) troupe::sleep(1ms);
  return notebook.lines().front();
}

// The time left travels with the cancel: the actor in the middle kills its stuck child before its
// own time is over, and leaves in order.
TEST(KillLadderTest, AParentGivesItsChildrenLessThanItHas) {
  const Notebook notes;
  int leaf = 0;
  in_nursery([&](ActorNursery& n) {
    n.run_in_actor<&spin_below>({.name = "middle", .shutdown = 4s}, notes.path());
    leaf = std::stoi(first_note(notes));
    n.cancel();
  });
  ASSERT_EQ(notes.lines().size(), 2u);
  EXPECT_EQ(notes.lines().back(), "in order");
  EXPECT_TRUE(is_gone(leaf));
}

// CAN-15: a grandchild that never comes to a checkpoint is killed by its parent, and what the root
// raises is the root's own error.
TEST(KillLadderTest, AStuckGrandchildDoesNotReplaceTheError) {
  const Notebook notes;
  EXPECT_THROW(troupe::open_root_actor({.cancel_grace = 2s},
                                       [&] {
                                         troupe::open_nursery([&](ActorNursery& n) {
                                           n.run_in_actor<&spin_below>("middle", notes.path());
                                           first_note(notes);
                                           throw std::length_error("the root's");
                                         });
                                       }),
               std::length_error);
  EXPECT_TRUE(is_gone(std::stoi(notes.lines().front())));
}

// CAN-16: the same, with the scope around cancelled just before.
TEST(KillLadderTest, NorDoesACancellationJustBefore) {
  const Notebook notes;
  EXPECT_THROW(troupe::open_root_actor({.cancel_grace = 2s},
                                       [&] {
                                         troupe::CancelScope outer;
                                         outer.run([&] {
                                           troupe::open_nursery([&](ActorNursery& n) {
                                             n.run_in_actor<&spin_below>("middle", notes.path());
                                             first_note(notes);
                                             outer.cancel();
                                             throw std::length_error("the root's");
                                           });
                                         });
                                       }),
               std::length_error);
  EXPECT_TRUE(is_gone(std::stoi(notes.lines().front())));
}

// CAN-25: nothing is left, whatever happened before.
TEST(KillLadderTest, NoChildOfThisProcessIsLeft) { EXPECT_TRUE(child_processes().empty()); }

}  // namespace

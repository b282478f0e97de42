// SPDX-License-Identifier: Apache-2.0

// Actors that are started again: what portals, results and calls see of it, in which order it
// happens, and when it is too much.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorDied;
using troupe::ActorNursery;
using troupe::Portal;
using troupe::Restart;
using troupe::Supervisor;
using troupe::testing::note;
using troupe::testing::Notebook;
using troupe::testing::notes;

int pid_of_actor() { return static_cast<int>(getpid()); }
void kill_oneself() { raise(SIGKILL); }
void sleep_for_ever() { troupe::sleep_forever(); }
void throws_out_of_range() { throw std::out_of_range("there are only three acts"); }
void note_at_exit(const std::string& path, const std::string& line) {
  troupe::current_actor().on_exit([path, line] { note(path, line); });
}
// Fails twice, over all its incarnations.
int third_time_lucky(const std::string& path) {
  note(path, "try");
  const int tries = static_cast<int>(notes(path).size());
  if (tries < 3) throw std::out_of_range("not yet");
  return tries;
}
int dies_twice(const std::string& path) {
  note(path, "try");
  const int tries = static_cast<int>(notes(path).size());
  if (tries < 3) raise(SIGKILL);
  return tries;
}
int count_tries(const std::string& path) {
  note(path, "try");
  return static_cast<int>(notes(path).size());
}
void cancel_other(const std::string& name) { troupe::wait_for_actor(name).cancel_actor(); }

inline const auto& stage =
    troupe::module<"stage", &pid_of_actor, &kill_oneself, &sleep_for_ever, &throws_out_of_range,
                   &note_at_exit, &third_time_lucky, &dies_twice, &count_tries, &cancel_other>;

template <class Body>
void supervised(const Supervisor& supervisor, Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery({.supervise = supervisor}, body); });
}

// Kills the actor behind the portal. When this returns, its end is known here.
void kill(const Portal& portal) { EXPECT_THROW(portal.run<&kill_oneself>(), ActorDied); }

// ---- Portals ----

TEST(RestartTest, APortalReachesTheNewIncarnation) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    const troupe::Uid first = frank.uid();
    const int pid = frank.run<&pid_of_actor>();
    kill(frank);  // the call in flight ends with ActorDied
    EXPECT_NE(frank.run<&pid_of_actor>(), pid);
    EXPECT_NE(frank.uid(), first);
    EXPECT_EQ(frank.uid().name, "frank");
    EXPECT_TRUE(frank.cancel_actor());
  });
}

// The name leads to the new incarnation, too, and portals found by it follow as well.
TEST(RestartTest, ANameLeadsToTheNewIncarnation) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    const Portal found = troupe::wait_for_actor("frank");
    const int pid = found.run<&pid_of_actor>();
    kill(found);
    EXPECT_NE(found.run<&pid_of_actor>(), pid);
    EXPECT_EQ(troupe::wait_for_actor("frank").uid(), frank.uid());
    frank.cancel_actor();
  });
}

TEST(RestartTest, EveryCallInFlightEndsWithActorDied) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    int died = 0;
    troupe::open_task_nursery([&](troupe::TaskNursery& callers) {
      for (int i = 0; i < 3; ++i) {
        callers.start_soon([&] {
          try {
            frank.run<&sleep_for_ever>();
          } catch (const ActorDied&) {
            ++died;
          }
        });
      }
      frank.run<&pid_of_actor>();  // the others are under way
      kill(frank);
    });
    EXPECT_EQ(died, 3);
    frank.cancel_actor();
  });
}

// A call that is made during the restart waits under its own scope.
TEST(RestartTest, ACallDuringTheRestartCanBeCancelled) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}, .backoff = 1h});
    kill(frank);
    EXPECT_FALSE(frank.connected());
    EXPECT_FALSE(troupe::move_on_after(10ms, [&] { frank.run<&pid_of_actor>(); }));
    EXPECT_TRUE(frank.cancel_actor());                            // ends the restart, too
    EXPECT_THROW(frank.run<&pid_of_actor>(), troupe::ActorDied);  // what its last incarnation did
    EXPECT_FALSE(frank.cancel_actor());
  });
}

TEST(RestartTest, ABackoffOfTheStrategyDelaysRestarts) {
  supervised(troupe::one_for_one({.backoff = 1h}), [](ActorNursery& n) {
    const Portal late = n.start_actor("late", {.enable_modules = {stage}});
    const Portal soon = n.start_actor("soon", {.enable_modules = {stage}, .backoff = 1ms});
    kill(late);
    kill(soon);
    soon.run<&pid_of_actor>();  // its own backoff goes first
    EXPECT_FALSE(late.connected());
    late.cancel_actor();
    soon.cancel_actor();
  });
}

// ---- One-shots ----

TEST(RestartTest, AResultWaitsForTheIncarnationThatCompletes) {
  const Notebook tries;
  supervised(troupe::one_for_one(), [&](ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&third_time_lucky>("lucky", tries.path()).result(), 3);
  });
  EXPECT_EQ(tries.lines().size(), 3u);
}

TEST(RestartTest, ADeathOfAOneShotIsAFailureToo) {
  const Notebook tries;
  supervised(troupe::one_for_one(), [&](ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&dies_twice>("cat", tries.path()).result(), 3);
  });
}

// The clean return of a transient one-shot is no failure: it is not called again.
TEST(RestartTest, ATransientOneShotRunsOnce) {
  const Notebook tries;
  supervised(troupe::one_for_all(), [&](ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&count_tries>("once", tries.path()).result(), 1);
  });
  EXPECT_EQ(tries.lines().size(), 1u);
}

// A permanent one runs again and again, as long as the body does.
TEST(RestartTest, APermanentOneShotRunsAgainUntilTheBodyHasEnded) {
  const Notebook tries;
  supervised(troupe::one_for_one({.intensity = 1'000'000}), [&](ActorNursery& n) {
    const auto again = n.run_in_actor<&count_tries>(
        {.name = "again", .restart = Restart::permanent}, tries.path());
    EXPECT_EQ(again.result(), 1);  // the first
    while (tries.lines().size() < 3) troupe::sleep(1ms);
  });
}

TEST(RestartTest, APermanentOneShotThatReturnsTooOftenFailsTheNursery) {
  const Notebook tries;
  try {
    supervised(troupe::one_for_one({.intensity = 1, .period = 1h}), [&](ActorNursery& n) {
      n.run_in_actor<&count_tries>({.name = "again", .restart = Restart::permanent}, tries.path());
      troupe::sleep_forever();
    });
    FAIL() << "nothing was thrown";
  } catch (const troupe::Error& error) {
    EXPECT_NE(std::string(error.what()).find("again"), std::string::npos) << error.what();
  }
  EXPECT_EQ(tries.lines().size(), 2u);
}

// A temporary child's abnormal end is logged as an error, and that is all.
TEST(RestartTest, ATemporaryChildIsLoggedAndGone) {
  std::vector<std::string> errors;
  troupe::set_log_sink([&](const troupe::LogRecord& record) {
    if (record.level == troupe::LogLevel::error) errors.push_back(record.text);
  });
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank =
        n.start_actor("frank", {.enable_modules = {stage}, .restart = Restart::temporary});
    kill(frank);
    EXPECT_THROW(frank.run<&pid_of_actor>(), ActorDied);  // at once
    const auto tragic =
        n.run_in_actor<&throws_out_of_range>({.name = "tragic", .restart = Restart::temporary});
    EXPECT_THROW(tragic.result(), troupe::RemoteActorError);
  });
  troupe::set_log_sink(nullptr);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE(errors[0].find("frank"), std::string::npos) << errors[0];
  EXPECT_NE(errors[1].find("there are only three acts"), std::string::npos) << errors[1];
}

// ---- Too often ----

// Too many restarts: the nursery fails with the last cause, and whoever waits for the result gets
// it as well.
TEST(RestartTest, TooManyRestartsFailTheNurseryWithTheLastCause) {
  EXPECT_THROW(supervised(troupe::one_for_one({.intensity = 2, .period = 1h}),
                          [](ActorNursery& n) {
                            const Portal other = n.start_actor("other");
                            auto tragic = n.run_in_actor<&throws_out_of_range>("tragic");
                            EXPECT_THROW(tragic.result(), troupe::RemoteActorError);
                            troupe::sleep_forever();
                          }),
               troupe::RemoteActorError);
}

TEST(RestartTest, AnIntensityOfZeroAllowsNoRestart) {
  EXPECT_THROW(supervised(troupe::one_for_one({.intensity = 0}),
                          [](ActorNursery& n) {
                            const Portal frank =
                                n.start_actor("frank", {.enable_modules = {stage}});
                            kill(frank);
                            EXPECT_THROW(frank.run<&pid_of_actor>(), ActorDied);  // no hang
                            troupe::sleep_forever();
                          }),
               ActorDied);
}

// Restarts that lie further back than the period do not count.
TEST(RestartTest, OldRestartsAreForgotten) {
  supervised(troupe::one_for_one({.intensity = 1, .period = 1ns}), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    for (int i = 0; i < 3; ++i) kill(frank);
    frank.cancel_actor();
  });
}

// ---- Several at once ----

using Pids = std::map<std::string, int>;

struct Trio {
  explicit Trio(ActorNursery& n)
      : first(n.start_actor("one", {.enable_modules = {stage}})),
        second(n.start_actor("two", {.enable_modules = {stage}})),
        third(n.start_actor("three", {.enable_modules = {stage}})) {}
  Pids pids() const {
    return {{"one", first.run<&pid_of_actor>()},
            {"two", second.run<&pid_of_actor>()},
            {"three", third.run<&pid_of_actor>()}};
  }
  void cancel() const {
    for (const Portal& portal : {first, second, third}) portal.cancel_actor();
  }
  Portal first;
  Portal second;
  Portal third;
};

// Who has another process after the second was killed.
std::vector<std::string> restarted_by(const Supervisor& supervisor) {
  std::vector<std::string> restarted;
  supervised(supervisor, [&](ActorNursery& n) {
    const Trio trio(n);
    const Pids before = trio.pids();
    kill(trio.second);
    const Pids after = trio.pids();
    for (const char* name : {"one", "two", "three"}) {
      if (before.at(name) != after.at(name)) restarted.push_back(name);
    }
    trio.cancel();
  });
  return restarted;
}

using Names = std::vector<std::string>;

TEST(RestartTest, EachStrategyRestartsItsOwn) {
  EXPECT_EQ(restarted_by(troupe::one_for_one()), (Names{"two"}));
  EXPECT_EQ(restarted_by(troupe::one_for_all()), (Names{"one", "two", "three"}));
  EXPECT_EQ(restarted_by(troupe::rest_for_one()), (Names{"two", "three"}));
}

// All that die at the same time are one restart, and each death ends its calls.
TEST(RestartTest, DeathsAtTheSameTimeAreOneRestartOfAll) {
  supervised(troupe::one_for_all({.intensity = 1, .period = 1h}), [](ActorNursery& n) {
    const Trio trio(n);
    Pids pids;
    troupe::open_task_nursery([&](troupe::TaskNursery& callers) {
      for (const Portal& portal : {trio.first, trio.second, trio.third}) {
        callers.start_soon([portal] { EXPECT_THROW(portal.run<&sleep_for_ever>(), ActorDied); });
      }
      pids = trio.pids();  // the others are under way
      for (const auto& [name, pid] : pids) ::kill(pid, SIGKILL);
    });
    for (const auto& [name, pid] : trio.pids()) EXPECT_NE(pid, pids.at(name));
    trio.cancel();
  });
}

// They come down in the reverse order of their start, and up in that order; the nursery's own end
// is the former, too.
TEST(RestartTest, RestartsAndEndsKeepTheOrder) {
  const Notebook ends;
  supervised(troupe::one_for_all(), [&](ActorNursery& n) {
    std::vector<Portal> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(n.start_actor("member", {.enable_modules = {stage}}));
      all.back().run<&note_at_exit>(ends.path(), "restart " + std::to_string(i));
    }
    kill(all[1]);
    for (int i = 0; i < 4; ++i) all[i].run<&note_at_exit>(ends.path(), "end " + std::to_string(i));
    const std::vector<Portal> registered = troupe::find_actors("member");  // the last first
    EXPECT_EQ(registered, (std::vector<Portal>{all[3], all[2], all[1], all[0]}));
    n.cancel();
  });
  EXPECT_EQ(ends.lines(), (Names{"restart 3", "restart 2", "restart 0",  //
                                 "end 3", "end 2", "end 1", "end 0"}));
}

// ---- For good ----

TEST(RestartTest, CancelActorEndsAChildForGood) {
  supervised(troupe::one_for_all(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    const Portal other = n.start_actor("other", {.enable_modules = {stage}});
    EXPECT_EQ(n.actors().size(), 2u);
    const int pid = other.run<&pid_of_actor>();
    EXPECT_TRUE(frank.cancel_actor());
    EXPECT_THROW(frank.run<&pid_of_actor>(), troupe::TransportClosed);
    EXPECT_EQ(other.run<&pid_of_actor>(), pid);  // no reason to restart the others
    kill(other);
    EXPECT_NE(other.run<&pid_of_actor>(), pid);
    EXPECT_EQ(n.actors(), std::vector<troupe::Uid>{other.uid()});  // and frank stays away
    other.cancel_actor();
  });
}

// Whoever cancels it.
TEST(RestartTest, ASiblingMayCancelAChildForGood) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    const Portal other = n.start_actor("other", {.enable_modules = {stage}});
    other.run<&cancel_other>("frank");
    EXPECT_THROW(for (;;) frank.run<&pid_of_actor>(),
                 troupe::TransportClosed);  // soon, and no ActorDied
    other.cancel_actor();
  });
}

// ---- Levels ----

// Opens a nursery of its own, with a child that dies of the first try: too much for that nursery.
void hold_court(const std::string& path) {
  troupe::open_nursery({.supervise = troupe::one_for_one({.intensity = 0})}, [&](ActorNursery& n) {
    const Portal jester = n.start_actor("jester", {.enable_modules = {stage}});
    if (jester.run<&count_tries>(path) > 1) return n.cancel();
    jester.run<&kill_oneself>();
  });
}

// What is too much for one nursery is a failure of its actor, which is started again above.
TEST(RestartTest, EscalationIsAFailureOneLevelUp) {
  const Notebook tries;
  supervised(troupe::one_for_one(),
             [&](ActorNursery& n) { n.run_in_actor<&hold_court>("king", tries.path()).result(); });
  EXPECT_EQ(tries.lines().size(), 2u);
}

TEST(RestartTest, ANurseryCanBeCancelledWhileItRestarts) {
  supervised(troupe::one_for_all({.backoff = 1h}), [](ActorNursery& n) {
    const Trio trio(n);
    kill(trio.second);
    n.cancel();
  });
}

}  // namespace

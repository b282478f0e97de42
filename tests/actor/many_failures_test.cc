// SPDX-License-Identifier: Apache-2.0

// Many failures at once: none is lost, none counts twice, and nothing else is among them.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorDied;
using troupe::ActorNursery;
using troupe::Portal;
using troupe::RemoteActorError;
using troupe::testing::note;
using troupe::testing::Notebook;
using troupe::testing::notes;

void throws_now() { throw std::out_of_range("at once"); }
// Waits, deaf to cancellation, until something is noted, and fails whatever happened meanwhile.
void throws_at_the_curtain(const std::string& curtain) {
  troupe::CancelScope deaf({.shield = true});
  deaf.run([&] {
    while (notes(curtain).empty()) troupe::sleep(1ms);
  });
  throw std::out_of_range("at the curtain");
}
// Says that it fails, and fails without a checkpoint in between.
void throws_when_noted(const std::string& go, const std::string& failed) {
  while (notes(go).empty()) troupe::sleep(1ms);
  note(failed, "failed");
  throw std::out_of_range("noted");
}
void kill_oneself() { raise(SIGKILL); }
void sleep_for_ever() { troupe::sleep_forever(); }
int answer() { return 42; }
void call_kill(const std::string& name) { troupe::wait_for_actor(name).run<&kill_oneself>(); }
void call_sleep(const std::string& name) { troupe::wait_for_actor(name).run<&sleep_for_ever>(); }

inline const auto& stage =
    troupe::module<"stage", &throws_now, &throws_at_the_curtain, &kill_oneself, &sleep_for_ever,
                   &answer, &call_kill, &call_sleep>;

// What leaves a nursery of a fresh root: one by one, groups taken apart at the first level.
template <class Body>
std::vector<std::exception_ptr> errors_of(Body body) {
  try {
    troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
  } catch (const troupe::ExceptionGroup& group) {
    return group.exceptions();
  } catch (const std::exception&) {
    return {std::current_exception()};
  }
  return {};
}

template <class E>
bool is(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

// The actors in which the errors were thrown; all must be boxed errors of type out_of_range.
std::multiset<std::string> sources(const std::vector<std::exception_ptr>& errors) {
  std::multiset<std::string> names;
  for (const std::exception_ptr& error : errors) {
    try {
      std::rethrow_exception(error);
    } catch (const RemoteActorError& remote) {
      EXPECT_TRUE(remote.is<std::out_of_range>()) << remote.what();
      names.insert(remote.src_uid().name);
    } catch (const std::exception& other) {
      ADD_FAILURE() << "not a boxed error: " << other.what();
    }
  }
  return names;
}

std::string name_of(int number) { return "actor-" + std::to_string(number); }

std::multiset<std::string> names_up_to(int count) {
  std::multiset<std::string> names;
  for (int i = 0; i < count; ++i) names.insert(name_of(i));
  return names;
}

// ---- Side by side ----

// CAN-03: 25 one-shots that all fail together: exactly 25 boxed errors.
TEST(ManyFailuresTest, AllThatFailTogetherAreCounted) {
  const Notebook curtain;
  EXPECT_EQ(sources(errors_of([&](ActorNursery& n) {
              for (int i = 0; i < 25; ++i) {
                n.run_in_actor<&throws_at_the_curtain>(name_of(i), curtain.path());
              }
              note(curtain.path(), "up");
              troupe::sleep_forever();
            })),
            names_up_to(25));
}

// All have failed while the parent did not run its loop: each had done so before its cancel came.
TEST(ManyFailuresTest, FailuresWhileTheParentIsBusyAreAllCounted) {
  const Notebook go;
  const Notebook failed;
  EXPECT_EQ(sources(errors_of([&](ActorNursery& n) {
              for (int i = 0; i < 25; ++i) {
                n.run_in_actor<&throws_when_noted>(name_of(i), go.path(), failed.path());
              }
              note(go.path(), "go");
              while (failed.lines().size() < 25) ::usleep(1000);  // the loop stands still
              troupe::sleep_forever();
            })),
            names_up_to(25));
}

// Failing freely: some are cancelled before they have begun, but none counts twice, and every error
// is one of theirs.
TEST(ManyFailuresTest, FailuresAtWillAreCountedOnce) {
  const auto names = sources(errors_of([](ActorNursery& n) {
    troupe::open_task_nursery([&](troupe::TaskNursery& starters) {
      for (int i = 0; i < 25; ++i) {
        starters.start_soon([&n, i] { n.run_in_actor<&throws_now>(name_of(i)); });
      }
    });
  }));
  EXPECT_GE(names.size(), 1u);
  for (const std::string& name : names) EXPECT_EQ(names.count(name), 1u) << name;
}

// CAN-07: k idle daemons and k one-shots that fail: one error alone, several as a group of that
// size; the nursery has no children left and reports that it was cancelled.
TEST(ManyFailuresTest, DaemonsAreCancelledByFailuresOfOneShots) {
  for (int k = 1; k <= 3; ++k) {
    const Notebook curtain;
    troupe::NurseryStatus status;
    const auto errors = errors_of([&](ActorNursery& n) {
      status = n.status();
      for (int i = 0; i < k; ++i) {
        n.start_actor("daemon");
        n.run_in_actor<&throws_at_the_curtain>(name_of(i), curtain.path());
      }
      note(curtain.path(), "up");
    });
    EXPECT_EQ(sources(errors), names_up_to(k));
    EXPECT_TRUE(status.cancel_called());
    EXPECT_EQ(status.child_count(), 0u);
  }
}

// CAN-08: a call into a daemon fails in the body: sleepers and daemons are cancelled, and only that
// error comes out.
TEST(ManyFailuresTest, AFailedCallInTheBodyIsTheOnlyError) {
  const auto errors = errors_of([](ActorNursery& n) {
    std::vector<Portal> daemons;
    for (int i = 0; i < 3; ++i) {
      daemons.push_back(n.start_actor(name_of(i), {.enable_modules = {stage}}));
      n.run_in_actor<&sleep_for_ever>("sleeper");
    }
    daemons[1].run<&throws_now>();
  });
  EXPECT_EQ(sources(errors), std::multiset<std::string>{name_of(1)});
}

// CAN-10: daemons whose calls succeed, and one-shots that fail later.
TEST(ManyFailuresTest, SuccessfulCallsBeforeDoNotMatter) {
  const Notebook curtain;
  const auto errors = errors_of([&](ActorNursery& n) {
    for (int i = 0; i < 3; ++i) {
      n.run_in_actor<&throws_at_the_curtain>(name_of(i), curtain.path());
      EXPECT_EQ(n.start_actor("daemon", {.enable_modules = {stage}}).run<&answer>(), 42);
    }
    note(curtain.path(), "up");
  });
  EXPECT_EQ(sources(errors), names_up_to(3));
}

// CAN-02: the body raises the result of one of two; the group holds both, once each.
TEST(ManyFailuresTest, AResultThatIsRaisedInTheBodyCountsOnce) {
  const Notebook curtain;
  const auto errors = errors_of([&](ActorNursery& n) {
    const auto first = n.run_in_actor<&throws_at_the_curtain>(name_of(0), curtain.path());
    n.run_in_actor<&throws_at_the_curtain>(name_of(1), curtain.path());
    note(curtain.path(), "up");
    first.result();
  });
  EXPECT_EQ(sources(errors), names_up_to(2));
}

// SPN-19: a child that fails before the deadline of its parent is not a timeout.
TEST(ManyFailuresTest, AFailureBeforeTheDeadlineIsNoTimeout) {
  EXPECT_THROW(troupe::open_root_actor({},
                                       [] {
                                         troupe::fail_after(1h, [] {
                                           troupe::open_nursery([](ActorNursery& n) {
                                             n.run_in_actor<&throws_now>("tragic").result();
                                           });
                                         });
                                       }),
               RemoteActorError);
}

// ---- One failure, many waits ----

// The call in the body and the task that looks after the actor tell of the same death.
TEST(ManyFailuresTest, ADeathIsOneError) {
  const auto errors = errors_of([](ActorNursery& n) {
    n.start_actor("frank", {.enable_modules = {stage}}).run<&kill_oneself>();
  });
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(is<ActorDied>(errors[0]));
}

// So do all calls that were under way, in whatever nursery.
TEST(ManyFailuresTest, ADeathThatEndsManyCallsIsOneErrorOfTheirNursery) {
  const auto errors = errors_of([](ActorNursery& n) {
    const Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    troupe::open_task_nursery([&](troupe::TaskNursery& callers) {
      for (int i = 0; i < 3; ++i) callers.start_soon([&frank] { frank.run<&sleep_for_ever>(); });
      frank.run<&answer>();  // the others are under way
      frank.run<&kill_oneself>();
    });
  });
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(is<ActorDied>(errors[0]));
}

// So do siblings of the dead actor, who only see that their connection to it is gone.
TEST(ManyFailuresTest, WhatSiblingsSeeOfADeathIsTheSameFailure) {
  const auto errors = errors_of([](ActorNursery& n) {
    n.start_actor("victim", {.enable_modules = {stage}});
    n.run_in_actor<&call_sleep>("waiter", "victim");
    n.run_in_actor<&call_kill>("killer", "victim");
    troupe::sleep_forever();
  });
  ASSERT_EQ(errors.size(), 1u);
  // A sibling may tell of the lost connection before the kernel tells of the end.
  EXPECT_NE(troupe::describe_error(errors[0]).find("victim"), std::string::npos)
      << troupe::describe_error(errors[0]);
}

// ---- Trees ----

// Spawns two actors on each of `depth` levels; the leaves fail when the curtain is up.
void spawn_and_fail(int depth, const std::string& leaves, const std::string& curtain) {
  if (depth == 0) {
    note(leaves, "here");
    throws_at_the_curtain(curtain);
  }
  troupe::open_nursery([&](ActorNursery& n) {
    for (int i = 0; i < 2; ++i) {
      n.run_in_actor<&spawn_and_fail>("level-" + std::to_string(depth), depth - 1, leaves, curtain);
    }
    troupe::sleep_forever();
  });
}

int count_leaves(const troupe::BoxedError& box) {
  if (box.nested.empty()) return 1;
  int leaves = 0;
  for (const troupe::BoxedError& nested : box.nested) leaves += count_leaves(nested);
  return leaves;
}

// CAN-11: trees of depth 1 and 3 whose leaves all fail: two errors at the root, each of which boxes
// a group (down to the leaves), and no leaf's error is dropped.
TEST(ManyFailuresTest, ErrorsOfAllLeavesClimbATree) {
  for (const int depth : {1, 3}) {
    const Notebook leaves;
    const Notebook curtain;
    const int leaf_count = depth == 1 ? 4 : 16;
    const auto errors = errors_of([&](ActorNursery& n) {
      for (int i = 0; i < 2; ++i) {
        n.run_in_actor<&spawn_and_fail>(name_of(i), depth, leaves.path(), curtain.path());
      }
      while (static_cast<int>(leaves.lines().size()) < leaf_count) troupe::sleep(1ms);
      note(curtain.path(), "up");
      troupe::sleep_forever();
    });
    ASSERT_EQ(errors.size(), 2u) << "depth " << depth;
    int found = 0;
    for (const std::exception_ptr& error : errors) {
      ASSERT_TRUE(is<RemoteActorError>(error));
      try {
        std::rethrow_exception(error);
      } catch (const RemoteActorError& remote) {
        EXPECT_TRUE(remote.is<troupe::ExceptionGroup>()) << remote.what();
        found += count_leaves(remote.boxed());
      }
    }
    EXPECT_EQ(found, leaf_count) << "depth " << depth;
  }
}

// Spawns like that, but the leaves fail at once: the first failure cancels the rest of the tree.
void spawn_and_fail_early(int depth) {
  if (depth == 0) throws_now();
  troupe::open_nursery([&](ActorNursery& n) {
    for (int i = 0; i < 2; ++i) {
      n.run_in_actor<&spawn_and_fail_early>("level-" + std::to_string(depth), depth - 1);
    }
    troupe::sleep_forever();
  });
}

// CAN-12: whatever was cancelled when, what comes out is of one kind: boxed errors of the leaves,
// never the cancellation itself.
TEST(ManyFailuresTest, ACancellationNeverComesOutAsAnError) {
  for (int round = 0; round < 5; ++round) {
    const auto errors = errors_of([](ActorNursery& n) {
      for (int i = 0; i < 2; ++i) n.run_in_actor<&spawn_and_fail_early>(name_of(i), 2);
      troupe::sleep_forever();
    });
    EXPECT_FALSE(errors.empty());
    for (const std::exception_ptr& error : errors) {
      EXPECT_TRUE(is<RemoteActorError>(error)) << troupe::describe_error(error);
      EXPECT_EQ(troupe::describe_error(error).find("ancelled"), std::string::npos)
          << troupe::describe_error(error);
    }
  }
}

}  // namespace

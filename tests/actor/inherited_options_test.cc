// SPDX-License-Identifier: Apache-2.0

// What the root's options say of tasks holds in all actors of its tree. The main function of these
// tests has called `init`, so actors never come to the line where the options stand: they have to
// travel.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/actor/actor.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

// Twice what a task has by default.
int fill_large_stack() {
  volatile char stack[512 * 1024];
  for (std::size_t i = 0; i < sizeof stack; i += 4096) stack[i] = 1;
  return stack[4096];
}

// In which order twenty tasks run that are ready together.
std::vector<int> order_of_tasks() {
  std::vector<int> order;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (int i = 0; i < 20; ++i) n.start_soon([&order, i] { order.push_back(i); });
  });
  return order;
}

void fail() { throw std::out_of_range("there are only three acts"); }

std::chrono::nanoseconds busy_poll() { return troupe::Actor::booted().config().tasks.busy_poll; }

// The same in an actor below this one.
int fill_large_stack_below() { return troupe::to_actor<&fill_large_stack>(); }
std::chrono::nanoseconds busy_poll_below() { return troupe::to_actor<&busy_poll>(); }
std::vector<int> order_of_tasks_below() { return troupe::to_actor<&order_of_tasks>(); }

inline const auto& stage =
    troupe::module<"stage", &fill_large_stack, &order_of_tasks, &fail, &busy_poll,
                   &fill_large_stack_below, &order_of_tasks_below, &busy_poll_below>;

// Calls `body` with an actor of a tree that has these options.
template <class Body>
void with_actor(troupe::RunOptions options, Body body) {
  troupe::open_root_actor(std::move(options), [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      const troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
      body(frank);
      frank.cancel_actor();
    });
  });
}

class InheritedOptionsTest : public ::testing::TestWithParam<const char*> {
 protected:
  static troupe::StartMethod method() { return troupe::StartMethod::parse(GetParam()); }
};

TEST_P(InheritedOptionsTest, StackSizeHoldsInTheWholeTree) {
  with_actor({.start_method = method(), .stack_size = 1024 * 1024}, [](const auto& frank) {
    EXPECT_EQ(frank.template run<&fill_large_stack>(), 1);
    EXPECT_EQ(frank.template run<&fill_large_stack_below>(), 1);
  });
}

TEST_P(InheritedOptionsTest, ScheduleSeedHoldsInTheWholeTree) {
  with_actor({.start_method = method(), .schedule_seed = 7}, [](const auto& frank) {
    for (const std::vector<int>& order :
         {frank.template run<&order_of_tasks>(), frank.template run<&order_of_tasks_below>()}) {
      EXPECT_EQ(order.size(), 20u);
      EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));  // by chance: once in 20! runs
    }
  });
}

TEST_P(InheritedOptionsTest, BusyPollHoldsInTheWholeTreeOrBelowOneActor) {
  with_actor({.start_method = method(), .busy_poll = 20us}, [](const auto& frank) {
    EXPECT_EQ(frank.template run<&busy_poll>(), 20us);
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const auto quick = n.start_actor("quick", {.enable_modules = {stage}, .busy_poll = 70us});
      EXPECT_EQ(quick.template run<&busy_poll>(), 70us);
      EXPECT_EQ(quick.template run<&busy_poll_below>(), 70us);
      n.cancel();
    });
  });
}

TEST_P(InheritedOptionsTest, WithoutASeedTasksRunInTheirOrder) {
  with_actor({.start_method = method()}, [](const auto& frank) {
    const std::vector<int> order = frank.template run<&order_of_tasks>();
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  });
}

TEST_P(InheritedOptionsTest, TracebacksAreMadeOrNotInTheWholeTree) {
  for (const bool tracebacks : {false, true}) {
    with_actor({.start_method = method(), .tracebacks = tracebacks}, [&](const auto& frank) {
      try {
        frank.template run<&fail>();
        FAIL() << "nothing was thrown";
      } catch (const troupe::RemoteActorError& error) {
        EXPECT_EQ(error.traceback().find("\n  at ") != std::string::npos, tracebacks);
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, InheritedOptionsTest, ::testing::Values("exec", "forkserver"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace

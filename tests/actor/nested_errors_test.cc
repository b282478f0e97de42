// SPDX-License-Identifier: Apache-2.0

// Trees of actors whose leaves all fail: how errors climb. Every test starts processes of this very
// binary.

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

namespace forest {

using namespace std::chrono_literals;

void grow(int depth);        // a branch: two more branches, or two leaves
void wither();               // a leaf: fails
bool all_have_started();     // asked of the parent
void grow_in_the_open(int);  // the same, but it can be cancelled at any time
void wither_at_once();

inline const auto& trees =
    troupe::module<"trees", &grow, &wither, &all_have_started, &grow_in_the_open, &wither_at_once>;

// Set once this actor's children have all been started.
std::optional<troupe::Event>& gate() {
  static std::optional<troupe::Event> event(std::in_place);
  return event;
}

// Runs `body` to its end whatever is cancelled, so that it is the error that is told.
template <class Body>
void shielded(Body body) {
  troupe::CancelScope shield({.shield = true});
  shield.run(body);
}

bool all_have_started() {
  shielded([] { gate()->wait(); });
  return true;
}

void wither() {
  shielded([] {
    troupe::get_parent().run<&all_have_started>();
    throw std::logic_error("the leaf has withered");
  });
}

// Starts both before any of them can fail.
void start_two(int depth) {
  troupe::open_nursery([depth](troupe::ActorNursery& n) {
    for (const char* name : {"left", "right"}) {
      if (depth == 0) {
        n.run_in_actor<&wither>(name);
      } else {
        n.run_in_actor<&grow>(name, depth - 1);
      }
    }
    gate()->set();
  });
}

void grow(int depth) {
  shielded([depth] {
    troupe::get_parent().run<&all_have_started>();
    start_two(depth);
  });
}

void wither_at_once() { throw std::logic_error("the leaf has withered"); }

void grow_in_the_open(int depth) {
  troupe::open_nursery([depth](troupe::ActorNursery& n) {
    for (const char* name : {"left", "right"}) {
      if (depth == 0) {
        n.run_in_actor<&wither_at_once>(name);
      } else {
        n.run_in_actor<&grow_in_the_open>(name, depth - 1);
      }
    }
  });
}

}  // namespace forest

namespace {

using namespace std::chrono_literals;
using troupe::BoxedError;

// Nobody is killed for being slow: this is about what is told, however long that takes.
constexpr auto patience = 60s;

// What comes out of a tree whose root is this process.
template <class Body>
std::exception_ptr fallen_from_tree(Body body) {
  forest::gate().emplace();
  try {
    troupe::open_root_actor({.enable_modules = {forest::trees}, .cancel_grace = patience}, body);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

// The leaves' errors below `box`; whatever is no error of a leaf fails the test.
int count_leaves(const BoxedError& box) {
  if (box.nesting != BoxedError::Nesting::group) {
    EXPECT_EQ(box.type, "std::logic_error") << box.message;
    return 1;
  }
  int leaves = 0;
  for (const BoxedError& member : box.nested) leaves += count_leaves(member);
  return leaves;
}

class NestedErrorsTest : public ::testing::TestWithParam<int> {};

// CAN-11: a binary tree of spawners of depth 1 and 3 whose leaves all raise: the root sees a group
// of exactly two boxed errors, each boxing a group; no leaf's error is dropped.
TEST_P(NestedErrorsTest, EachLevelIsAGroupOfTwo) {
  const int depth = GetParam();
  const std::exception_ptr error = fallen_from_tree([depth] { forest::start_two(depth); });
  ASSERT_TRUE(error);
  try {
    std::rethrow_exception(error);
  } catch (const troupe::ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u) << group.what();
    for (const std::exception_ptr& member : group.exceptions()) {
      try {
        std::rethrow_exception(member);
      } catch (const troupe::RemoteActorError& boxed) {
        EXPECT_TRUE(boxed.is<troupe::ExceptionGroup>());
        EXPECT_EQ(boxed.boxed().nested.size(), 2u);
        EXPECT_EQ(count_leaves(boxed.boxed()), 1 << depth);
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Depths, NestedErrorsTest, ::testing::Values(1, 3));

// CAN-12: when one subtree's failure cancels the other before it reports, what is left is boxed
// errors of leaves, never a cancellation.
TEST(NestedErrorsRaceTest, CancellationsDoNotLeakOut) {
  for (int i = 0; i < 5; ++i) {
    const std::exception_ptr error = fallen_from_tree([] { forest::grow_in_the_open(1); });
    ASSERT_TRUE(error);
    const BoxedError box = troupe::box_error(error, {"root", {}});
    EXPECT_GE(count_leaves(box), 1);
    try {
      std::rethrow_exception(error);
    } catch (const troupe::RemoteActorError&) {
    } catch (const troupe::ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
  }
}

}  // namespace

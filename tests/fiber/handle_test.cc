// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/handle.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/tests/fiber/log_catcher.h"

namespace troupe {
namespace {

template <class E>
std::exception_ptr error(const char* text) {
  return std::make_exception_ptr(E(text));
}

[[noreturn]] void throw_group(std::vector<std::exception_ptr> errors) {
  throw ExceptionGroup("a group", std::move(errors));
}

TEST(HandleTest, ReturnsTheValueWhenThereIsNoError) {
  EXPECT_EQ(handle([] { return 7; }, on<std::exception>([] {})), 7);
  EXPECT_TRUE(handle([] {}));
}

TEST(HandleTest, HandlesAnErrorThatComesAlone) {
  std::string seen;
  const auto value =
      handle([]() -> int { throw std::out_of_range("alone"); },
             on<std::out_of_range>([&](const std::out_of_range& e) { seen = e.what(); }));
  EXPECT_EQ(value, std::nullopt);
  EXPECT_EQ(seen, "alone");
  EXPECT_FALSE(handle([] { throw std::out_of_range("alone"); }, on<std::logic_error>([] {})));
}

TEST(HandleTest, HandlesEachOfAGroupInOrder) {
  std::vector<std::string> seen;
  handle(
      [] {
        throw_group({error<std::out_of_range>("1"),
                     std::make_exception_ptr(ExceptionGroup(
                         "inner", {error<std::out_of_range>("2"), error<std::runtime_error>("3")})),
                     error<std::length_error>("4")});
      },
      on<std::out_of_range>([&](std::out_of_range& e) { seen.push_back(e.what()); }),
      on<std::exception>(
          [&](const std::exception& e) { seen.push_back(e.what() + std::string("!")); }));
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2", "3!", "4!"}));
}

TEST(HandleTest, WhatIsLeftLeavesAloneIfItIsOne) {
  EXPECT_THROW(handle(
                   [] {
                     throw_group({error<std::out_of_range>("1"), error<std::runtime_error>("2"),
                                  error<std::out_of_range>("3")});
                   },
                   on<std::out_of_range>([] {})),
               std::runtime_error);
}

TEST(HandleTest, WhatIsLeftLeavesAsAGroupIfItIsMore) {
  try {
    handle(
        [] {
          throw_group(
              {error<std::out_of_range>("1"), error<std::runtime_error>("2"),
               std::make_exception_ptr(ExceptionGroup(
                   "inner", {error<std::out_of_range>("3"), error<std::length_error>("4")}))});
        },
        on<std::out_of_range>([] {}));
    FAIL() << "nothing was thrown";
  } catch (const ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u);
    EXPECT_EQ(group.message(), "a group");
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[0]), std::runtime_error);
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[1]), std::length_error);
  }
}

TEST(HandleTest, AnErrorThatNobodyWantsLeavesAsItWas) {
  EXPECT_THROW(handle([] { throw std::runtime_error("x"); }, on<std::out_of_range>([] {})),
               std::runtime_error);
  EXPECT_THROW(handle([] { throw 7; }, on<std::exception>([] {})), int);
  EXPECT_THROW(
      handle([] { throw_group({error<std::runtime_error>("1")}); }, on<std::logic_error>([] {})),
      ExceptionGroup);
}

TEST(HandleTest, WhatAHandlerThrowsTakesThePlaceOfTheError) {
  EXPECT_THROW(handle([] { throw std::out_of_range("1"); },
                      on<std::out_of_range>([] { throw std::length_error("2"); }),
                      on<std::length_error>([] { ADD_FAILURE() << "handled twice"; })),
               std::length_error);
}

TEST(HandleTest, CancellationPasses) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      handle(
          [&] {
            scope.cancel();
            checkpoint();
          },
          on<std::exception>([] { ADD_FAILURE() << "Cancelled was handled"; }));
      ADD_FAILURE() << "Cancelled was absorbed";
    });
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

TEST(HandleTest, HandlersMayWaitAndBeCancelled) {
  run_tasks([] {
    CancelScope scope;
    int handled = 0;
    scope.run([&] {
      handle(
          [] {
            throw_group({error<std::out_of_range>("1"), error<std::out_of_range>("2")});
          },
          on<std::out_of_range>([&] {
            checkpoint();
            ++handled;
            scope.cancel();
          }));
      ADD_FAILURE() << "the cancellation is raised behind the errors";
    });
    EXPECT_EQ(handled, 1);
    EXPECT_TRUE(scope.cancelled_caught());
  });
}

// Of several cancellations one is raised again, or none when an error leaves: nobody has swallowed
// the others.
TEST(HandleTest, CancellationsThatAreNotRaisedAgainAreNotReported) {
  run_tasks([] {
    testing::LogCatcher log;
    for (const bool error_leaves : {false, true}) {
      CancelScope scope;
      const auto body = [&] {
        scope.cancel();
        handle(
            [] {
              throw_group({error<std::out_of_range>("1"), error<std::out_of_range>("2"),
                           error<std::length_error>("3")});
            },
            on<std::out_of_range>([] { checkpoint(); }), on<std::length_error>([&] {
              if (error_leaves) throw std::length_error("leaves");
            }));
      };
      if (error_leaves) {
        EXPECT_THROW(scope.run(body), std::length_error);
      } else {
        scope.run(body);
        EXPECT_TRUE(scope.cancelled_caught());
      }
    }
    EXPECT_EQ(log.count("Cancelled"), 0) << log.texts().front();
  });
}

TEST(HandleTest, ErrorsLeaveBeforeACancellation) {
  run_tasks([] {
    CancelScope scope;
    EXPECT_THROW(scope.run([&] {
      handle(
          [] {
            throw_group({error<std::out_of_range>("1"), error<std::length_error>("2")});
          },
          on<std::out_of_range>([&] {
            scope.cancel();
            checkpoint();
          }));
    }),
                 std::length_error);
  });
}

// Stands for an error from elsewhere: an out_of_range that can be rebuilt or not.
class FromElsewhere : public BoxingError {
 public:
  explicit FromElsewhere(bool can_be_rebuilt)
      : BoxingError("from elsewhere"), can_be_rebuilt_(can_be_rebuilt) {}
  void throw_rebuilt() const override {
    if (can_be_rebuilt_) throw std::out_of_range("rebuilt");
  }
  bool boxes(const std::type_info&, bool (*handles)()) const override {
    try {
      throw std::out_of_range("to be asked about");
    } catch (...) {
      return handles();
    }
  }

 private:
  bool can_be_rebuilt_;
};

TEST(HandleTest, MatchesTheTypeOfABoxedError) {
  std::string seen;
  handle([] { throw FromElsewhere(true); }, on<std::length_error>([] { FAIL(); }),
         on<std::logic_error>([&](const std::logic_error& e) { seen = e.what(); }));
  EXPECT_EQ(seen, "rebuilt");
  EXPECT_FALSE(handle([] { throw FromElsewhere(false); }, on<std::out_of_range>([] {})));
  EXPECT_FALSE(
      handle([] { throw FromElsewhere(true); }, on<FromElsewhere>([](const FromElsewhere&) {})));
}

TEST(HandleTest, ABoxedErrorThatCannotBeRebuiltGoesToWhoTakesItAsItIs) {
  EXPECT_THROW(handle([] { throw FromElsewhere(false); },
                      on<std::out_of_range>([](const std::out_of_range&) { FAIL(); })),
               FromElsewhere);
}

TEST(HandleTest, AGenericHandlerGetsTheErrorItself) {
  int code = 0;
  handle([] { throw std::system_error(7, std::generic_category()); },
         on<std::system_error>([&](const auto& e) { code = e.code().value(); }));
  EXPECT_EQ(code, 7);
}

// Stands for a group from elsewhere.
class GroupFromElsewhere : public BoxingError {
 public:
  GroupFromElsewhere() : BoxingError("a group from elsewhere") {}
  void throw_rebuilt() const override { std::rethrow_exception(boxed_group()); }
  bool boxes(const std::type_info&, bool (*)()) const override { return false; }
  std::exception_ptr boxed_group() const override {
    return std::make_exception_ptr(ExceptionGroup(
        "elsewhere", {error<std::out_of_range>("1"), error<std::length_error>("2")}));
  }
};

TEST(HandleTest, LooksIntoABoxedGroupThatNobodyWantsAsItIs) {
  std::string seen;
  EXPECT_THROW(handle([] { throw GroupFromElsewhere(); },
                      on<std::out_of_range>([&](const std::out_of_range& e) { seen = e.what(); })),
               std::length_error);
  EXPECT_EQ(seen, "1");
  EXPECT_THROW(handle([] { throw GroupFromElsewhere(); }, on<std::bad_alloc>([] {})),
               GroupFromElsewhere);
  EXPECT_FALSE(handle([] { throw GroupFromElsewhere(); }, on<GroupFromElsewhere>([] {}),
                      on<std::out_of_range>([] { ADD_FAILURE() << "it was handled already"; })));
}

// TRI-06: given a single-element exception group, then the collapse helper raises the bare error;
// given several, then it leaves the group.
TEST(CollapseGroupsTest, AGroupOfOneLeavesAsThatOne) {
  EXPECT_THROW(collapse_groups([] { throw_group({error<std::out_of_range>("1")}); }),
               std::out_of_range);
  EXPECT_THROW(collapse_groups([] {
                 throw_group({std::make_exception_ptr(
                     ExceptionGroup("inner", {error<std::out_of_range>("1")}))});
               }),
               std::out_of_range);
  EXPECT_THROW(collapse_groups([] {
                 throw_group({error<std::out_of_range>("1"), error<std::out_of_range>("2")});
               }),
               ExceptionGroup);
  EXPECT_THROW(collapse_groups([] { throw std::length_error("x"); }), std::length_error);
  EXPECT_EQ(collapse_groups([] { return 7; }), 7);
}

}  // namespace
}  // namespace troupe

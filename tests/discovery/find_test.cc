// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

std::string own_name() { return troupe::current_actor().name(); }
inline const auto& names = troupe::module<"names", &own_name>;

// DSC-24: who looks for a name that nobody has gets none, and no error.
TEST(FindTest, UnknownNameIsNobody) {
  troupe::open_root_actor({}, [] {
    EXPECT_FALSE(troupe::find_actor("nobody"));
    EXPECT_FALSE(troupe::query_actor("nobody"));
  });
}

// An unknown actor name with a deadline: a clear error within bounded time.
TEST(FindTest, WaitingForAnUnknownNameEndsAtTheDeadline) {
  troupe::open_root_actor({}, [] {
    EXPECT_THROW(troupe::fail_after(20ms, [] { troupe::wait_for_actor("nobody"); }),
                 troupe::TooSlowError);
  });
}

TEST(FindTest, RootIsTheArbiterOfItsTree) {
  troupe::open_root_actor({}, [] {
    EXPECT_TRUE(troupe::current_actor().is_arbiter());
    EXPECT_EQ(troupe::get_arbiter().uid(), troupe::current_actor().uid());
  });
}

TEST(FindTest, FindsAnActorUntilItHasLeft) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal frank = n.start_actor("frank", {.enable_modules = {names}});
      const auto found = troupe::find_actor("frank");
      ASSERT_TRUE(found);
      EXPECT_EQ(*found, frank);
      EXPECT_EQ(found->run<&own_name>(), "frank");
      EXPECT_EQ(troupe::query_actor("frank"), frank.address());
      frank.cancel_actor();
      EXPECT_FALSE(troupe::find_actor("frank"));
    });
  });
}

TEST(FindTest, SeveralOfOneNameTheLastFirst) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal first = n.start_actor("twin");
      const troupe::Portal second = n.start_actor("twin");
      EXPECT_EQ(*troupe::find_actor("twin"), second);
      EXPECT_EQ(troupe::find_actors("twin"), (std::vector<troupe::Portal>{second, first}));
      n.cancel();
    });
  });
}

TEST(FindTest, WaiterIsWokenByTheRegistration) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      std::string who;
      n.start_soon([&] { who = troupe::wait_for_actor("late").run<&own_name>(); });
      troupe::checkpoint();
      const troupe::Portal late = n.start_actor("late", {.enable_modules = {names}});
      while (who.empty()) troupe::sleep(1ms);
      EXPECT_EQ(who, "late");
      n.cancel();
    });
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// The table of an actor, in actors for real and alone.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/troupe.h"

namespace {

struct Dog {
  std::string name;
  std::vector<int> ages;
  friend bool operator==(const Dog&, const Dog&) = default;
};

// Of no use elsewhere, so it cannot be given along.
struct Kennel {
  std::shared_ptr<Dog> best;
};

int grow(const std::string& key) {
  troupe::StateSpace& table = troupe::current_actor().statespace();
  table.set(key, table.get<int>(key) + 1);
  return table.get<int>(key);
}
std::string text_of(const std::string& key) {
  return troupe::current_actor().statespace().get<std::string>(key);
}
Dog dog_of(const std::string& key) { return troupe::current_actor().statespace().get<Dog>(key); }
bool knows(const std::string& key) { return troupe::current_actor().statespace().contains(key); }

inline const auto& kennel = troupe::module<"kennel", &grow, &text_of, &dog_of, &knows>;

troupe::StateSpace& own_table() { return troupe::current_actor().statespace(); }

std::string message_of(auto&& action) {
  try {
    action();
  } catch (const troupe::UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(StateSpaceTest, CallsToOneActorShareWhatTheyChange) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank =
          n.start_actor("frank", {.enable_modules = {kennel}, .statespace = {{"doggy", 10}}});
      EXPECT_EQ(frank.run<&grow>("doggy"), 11);
      EXPECT_EQ(frank.run<&grow>("doggy"), 12);
      frank.cancel_actor();
    });
  });
}

TEST(StateSpaceTest, WritesNeverLeaveTheActor) {
  troupe::open_root_actor({.statespace = {{"doggy", 10}}}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::ActorOptions options{.enable_modules = {kennel}, .statespace = {{"doggy", 10}}};
      troupe::Portal frank = n.start_actor("frank", options);
      troupe::Portal ernest = n.start_actor("ernest", options);
      EXPECT_EQ(frank.run<&grow>("doggy"), 11);
      EXPECT_EQ(ernest.run<&grow>("doggy"), 11);
      EXPECT_EQ(own_table().get<int>("doggy"), 10);
      n.cancel();
    });
  });
}

TEST(StateSpaceTest, ActorBeginsWithWhatItIsGivenAndNothingElse) {
  troupe::open_root_actor({.statespace = {{"doggy", 10}}}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank = n.start_actor("frank", {.enable_modules = {kennel}});
      EXPECT_FALSE(frank.run<&knows>("doggy"));
      frank.cancel_actor();
    });
  });
}

TEST(StateSpaceTest, ValuesOfAnyTypeThatCanBeSentAreGivenAlong) {
  const Dog rex{"rex", {3, 4}};
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal frank = n.start_actor(
          "frank", {.enable_modules = {kennel}, .statespace = {{"dog", rex}, {"word", "bark"}}});
      EXPECT_EQ(frank.run<&dog_of>("dog"), rex);
      EXPECT_EQ(frank.run<&text_of>("word"), "bark");
      frank.cancel_actor();
    });
  });
}

TEST(StateSpaceTest, MisuseInAnActorIsAnErrorOfTheCall) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank =
          n.start_actor("frank", {.enable_modules = {kennel}, .statespace = {{"doggy", 10}}});
      try {
        frank.run<&text_of>("doggy");
        ADD_FAILURE() << "nothing was thrown";
      } catch (const troupe::RemoteActorError& error) {
        EXPECT_TRUE(error.is<troupe::UsageError>());
        EXPECT_TRUE(contains(error.boxed_message(), "frank")) << error.boxed_message();
      }
      frank.cancel_actor();
    });
  });
}

TEST(StateSpaceTest, RootHasItsOwn) {
  troupe::open_root_actor({.statespace = {{"doggy", 10}}}, [] {
    EXPECT_EQ(own_table().get<int>("doggy"), 10);
    own_table().set("doggy", std::string("ten"));
    EXPECT_EQ(own_table().get<std::string>("doggy"), "ten");
  });
  troupe::open_root_actor({}, [] { EXPECT_FALSE(own_table().contains("doggy")); });
}

TEST(StateSpaceTest, MissingKeyIsAUsageErrorThatNamesActorAndKey) {
  const troupe::StateSpace table("frank", {});
  const std::string message = message_of([&] { table.get<int>("doggy"); });
  EXPECT_TRUE(contains(message, "'frank'") && contains(message, "'doggy'")) << message;
}

TEST(StateSpaceTest, OtherTypeIsAUsageErrorThatNamesBoth) {
  troupe::StateSpace table("frank", troupe::InitialState{{"doggy", 10}}.entries());
  const auto ask = [&] { table.get<std::string>("doggy"); };
  const std::string as_given = message_of(ask);
  EXPECT_TRUE(contains(as_given, "int") && contains(as_given, "std::string")) << as_given;
  EXPECT_EQ(table.get<int>("doggy"), 10);
  EXPECT_EQ(message_of(ask), as_given);  // also once it has been looked at
  EXPECT_TRUE(contains(message_of([&] { table.get<Kennel>("doggy"); }), "Kennel"));
}

TEST(StateSpaceTest, AnyCopyableValueCanBeKept) {
  troupe::StateSpace table("frank", {});
  table.set("kennel", Kennel{std::make_shared<Dog>(Dog{"rex", {}})});
  table.get<Kennel>("kennel").best->name = "bello";
  EXPECT_EQ(table.get<Kennel>("kennel").best->name, "bello");
}

TEST(StateSpaceTest, TextIsKeptAsAString) {
  troupe::StateSpace table("frank", {});
  table.set("literal", "woof");
  table.set("view", std::string_view("wau"));
  EXPECT_EQ(table.get<std::string>("literal"), "woof");
  EXPECT_EQ(table.get<std::string>("view"), "wau");
}

TEST(StateSpaceTest, ErasedKeysAreGone) {
  troupe::StateSpace table("frank", troupe::InitialState{{"doggy", 10}}.entries());
  EXPECT_TRUE(table.contains("doggy"));
  EXPECT_TRUE(table.erase("doggy"));
  EXPECT_FALSE(table.erase("doggy"));
  EXPECT_FALSE(table.contains("doggy"));
}

TEST(StateSpaceTest, LastOfSeveralEntriesCounts) {
  troupe::InitialState initial{{"doggy", 10}, {"doggy", "ten"}};
  initial.set("kitty", 1);
  initial.set("kitty", 2);
  const troupe::StateSpace table("frank", initial.entries());
  EXPECT_EQ(table.get<std::string>("doggy"), "ten");
  EXPECT_EQ(table.get<int>("kitty"), 2);
}

TEST(StateSpaceTest, OutsideOfARunThereIsNone) {
  EXPECT_THROW(troupe::current_actor(), troupe::UsageError);
}

}  // namespace

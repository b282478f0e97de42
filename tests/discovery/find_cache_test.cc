// SPDX-License-Identifier: Apache-2.0

// Finding again without asking. The arbiter asks nobody, so the finder is a child.

#include "troupe/discovery/find_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "troupe/discovery/arbiter_link.h"
#include "troupe/discovery/local_directory.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

troupe::Directory& directory() { return troupe::Actor::booted().directory(); }

// Functions of the finder.

std::string find(const std::string& name) {
  const auto found = troupe::find_actor(name);
  return found ? found->uid().uuid : "nobody";
}
// Until the arbiter keeps this actor told of the name.
std::string find_until_remembered(const std::string& name) {
  std::string found = find(name);
  while (!directory().remembered(name)) {
    troupe::sleep(1ms);
    found = find(name);
  }
  return found;
}
std::uint64_t frames_sent() {
  std::uint64_t frames = 0;
  for (const auto& connection : troupe::Actor::booted().transport().connections()) {
    frames += connection->statistics().frames_sent;
  }
  return frames;
}
// How many frames it takes to find it a hundred times.
std::uint64_t frames_of_finding(const std::string& name) {
  const std::uint64_t before = frames_sent();
  for (int i = 0; i < 100; ++i) troupe::find_actor(name).value();
  return frames_sent() - before;
}
void find_until_it_is(const std::string& name, const std::string& uuid) {
  while (find(name) != uuid) troupe::sleep(1ms);
}
// Whether what is found is alive, up to the moment in which nobody is found.
bool finds_the_living_only(const std::string& name) {
  for (;; troupe::sleep(1ms)) {
    const auto found = troupe::find_actor(name);
    if (!found) return true;
    if (!found->connected()) return false;
  }
}
// Remembers an actor by many names in turns, all in use, and then by one more when the others are
// not any more; returns how many are kept, each time.
std::vector<std::size_t> remember_many(int count) {
  const troupe::Portal arbiter = troupe::get_arbiter();
  static const troupe::Entries nothing;
  static troupe::ArbiterLink link(troupe::Actor::booted(), directory().arbiters().front(), nothing);
  static troupe::FindCache cache(troupe::Actor::booted(), link);
  std::vector<std::size_t> kept;
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = 0; i < count; ++i) {
      const std::string name = "ghost-" + std::to_string(i);
      cache.find(name);
      cache.remember(name, arbiter.peer());
    }
    kept.push_back(cache.size());
  }
  for (int i = 0; i < 1000; ++i) cache.find("latecomer");
  for (const char* name : {"latecomer", "latecomer's brother"}) {
    for (int i = 0; i < 2; ++i) cache.remember(name, arbiter.peer());
    kept.push_back(cache.size());
  }
  cache.clear();
  kept.push_back(cache.size());
  return kept;
}

inline const auto& finders =
    troupe::module<"finders", &find, &find_until_remembered, &frames_of_finding, &find_until_it_is,
                   &finds_the_living_only, &remember_many>;

template <class Body>
void with_finder(Body body) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      body(n, n.start_actor("finder", {.enable_modules = {finders}}));
      n.cancel();
    });
  });
}

// A name that was found is found again without a message.
TEST(FindCacheTest, WhoWasFoundIsFoundWithoutAMessage) {
  with_finder([](troupe::ActorNursery& n, const troupe::Portal& finder) {
    const troupe::Portal frank = n.start_actor("frank");
    EXPECT_EQ(finder.run<&find_until_remembered>("frank"), frank.uid().uuid);
    EXPECT_EQ(finder.run<&frames_of_finding>("frank"), 0u);
  });
}

// Most names are looked up once, and the portal kept: that leaves nothing behind at the arbiter.
TEST(FindCacheTest, WhoIsFoundOnceIsNotFollowed) {
  with_finder([](troupe::ActorNursery& n, const troupe::Portal& finder) {
    const troupe::Portal frank = n.start_actor("frank");
    EXPECT_EQ(finder.run<&find>("frank"), frank.uid().uuid);
    EXPECT_EQ(finder.run<&find>("nobody"), "nobody");  // asked after what the first one has sent
    const auto& registry = dynamic_cast<troupe::LocalDirectory&>(directory()).registry();
    EXPECT_EQ(registry.names_followed(), 0u);
    EXPECT_EQ(finder.run<&find_until_remembered>("frank"), frank.uid().uuid);
    EXPECT_EQ(registry.names_followed(), 1u);
  });
}

// DSC-30: a new actor of that name is heard of, and remembered in its turn.
TEST(FindCacheTest, ANewActorOfTheNameIsHeardOf) {
  with_finder([](troupe::ActorNursery& n, const troupe::Portal& finder) {
    n.start_actor("frank");
    finder.run<&find_until_remembered>("frank");
    const troupe::Portal second = n.start_actor("frank");
    finder.run<&find_until_it_is>("frank", second.uid().uuid);
    EXPECT_EQ(finder.run<&find_until_remembered>("frank"), second.uid().uuid);
    EXPECT_EQ(finder.run<&frames_of_finding>("frank"), 0u);
  });
}

TEST(FindCacheTest, WhoIsGoneIsNotFoundAgain) {
  with_finder([](troupe::ActorNursery& n, const troupe::Portal& finder) {
    const troupe::Portal frank = n.start_actor("frank");
    finder.run<&find_until_remembered>("frank");
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      tasks.start_soon([&] { EXPECT_TRUE(finder.run<&finds_the_living_only>("frank")); });
      frank.cancel_actor();
    });
    const troupe::Portal next = n.start_actor("frank");
    EXPECT_EQ(finder.run<&find>("frank"), next.uid().uuid) << "asked for, or heard of";
  });
}

// What nobody has is asked for each time.
TEST(FindCacheTest, NobodyIsNotRemembered) {
  with_finder([](troupe::ActorNursery& n, const troupe::Portal& finder) {
    EXPECT_EQ(finder.run<&find>("frank"), "nobody");
    const troupe::Portal frank = n.start_actor("frank");
    EXPECT_EQ(finder.run<&find>("frank"), frank.uid().uuid);
  });
}

TEST(FindCacheTest, MemoryIsBounded) {
  with_finder([](troupe::ActorNursery&, const troupe::Portal& finder) {
    for (int i = 0; i < 200; ++i) {
      directory().announce({{"ghost-" + std::to_string(i), troupe::make_uuid()},
                            {troupe::Address::parse("ipc:///none-" + std::to_string(i))},
                            troupe::this_host(),
                            {}});
    }
    constexpr std::size_t limit = troupe::FindCache::limit;
    EXPECT_EQ(finder.run<&remember_many>(200),
              (std::vector<std::size_t>{0, limit, limit, limit, 0}));
  });
}

}  // namespace

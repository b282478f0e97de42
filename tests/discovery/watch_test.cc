// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace {

using troupe::ActorEvent;
using troupe::ActorEvents;
using troupe::ActorNursery;
using troupe::Portal;

std::string text_of(const ActorEvent& event) { return (event.joined() ? "+" : "-") + event.name(); }

// Forwards what it is told of `prefix`, from another process than the arbiter's.
void watches(troupe::Sink<std::string> out, const std::string& prefix) {
  troupe::watch_actors(prefix, [&](ActorEvents& events) {
    for (const ActorEvent& event : events) out.send(text_of(event));
  });
}

std::string looks_for(const std::string& name) {
  const auto found = troupe::find_actor(name);
  return found ? found->uid().uuid : "";
}

// Whether this actor is told of who has the name.
bool is_told_of(const std::string& name) {
  return troupe::task_tree().find("watch '" + name + "'") != std::string::npos;
}

inline const auto& watchers = troupe::module<"watchers", &watches, &looks_for, &is_told_of>;

std::vector<std::string> next_of(auto& events, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(text_of(events.receive()));
  return texts;
}

TEST(WatchTest, TellsWhoIsInAndThenWhoComesAndGoes) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      n.start_actor("other");
      Portal first = n.start_actor("worker-1");
      const int told = troupe::watch_actors("worker", [&](ActorEvents& events) {
        EXPECT_EQ(text_of(events.receive()), "+worker-1");
        Portal second = n.start_actor("worker-2");
        n.start_actor("another");
        first.cancel_actor();
        EXPECT_THAT(next_of(events, 2), testing::ElementsAre("+worker-2", "-worker-1"));
        return 3;
      });
      EXPECT_EQ(told, 3);
      n.cancel();
    });
  });
}

TEST(WatchTest, WorksFromAnyActor) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      Portal first = n.start_actor("worker-1");
      const Portal watcher = n.start_actor("watcher", {.enable_modules = {watchers}});
      watcher.open_stream<&watches>("worker", [&](troupe::ReceiveStream<std::string>& texts) {
        EXPECT_EQ(texts.receive(), "+worker-1");
        n.start_actor("worker-2");
        EXPECT_EQ(texts.receive(), "+worker-2");
        first.cancel_actor();
        EXPECT_EQ(texts.receive(), "-worker-1");
      });
      n.cancel();
    });
  });
}

TEST(WatchTest, AnEmptyPrefixIsEverybody) {
  troupe::open_root_actor({.name = "boss"}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      troupe::watch_actors("", [&](ActorEvents& events) {
        EXPECT_EQ(text_of(events.receive()), "+boss");
        n.start_actor("frank");
        EXPECT_EQ(text_of(events.receive()), "+frank");
      });
      n.cancel();
    });
  });
}

TEST(WatchTest, CanBeCancelled) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      const Portal watcher = n.start_actor("watcher", {.enable_modules = {watchers}});
      const auto done = troupe::move_on_after(std::chrono::milliseconds(50), [&] {
        watcher.open_stream<&watches>("nobody", [](auto& texts) { texts.receive(); });
      });
      EXPECT_TRUE(done.cancelled_caught());
      n.cancel();
    });
  });
}

// Who has died is not found by those who had found it before, and its successor is.
TEST(FindCacheTest, FollowsTheName) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      const Portal seeker = n.start_actor("seeker", {.enable_modules = {watchers}});
      Portal first = n.start_actor("service");
      for (int i = 0; i < 3; ++i) EXPECT_EQ(seeker.run<&looks_for>("service"), first.uid().uuid);
      EXPECT_TRUE(seeker.run<&is_told_of>("service"));
      first.cancel_actor();
      EXPECT_EQ(seeker.run<&looks_for>("service"), "");
      const Portal second = n.start_actor("service");
      troupe::fail_after(std::chrono::seconds(30), [&] {
        while (seeker.run<&looks_for>("service") != second.uid().uuid) troupe::checkpoint();
      });
      n.cancel();
    });
  });
}

TEST(FindCacheTest, TheLastThatCameIsFoundFirst) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](ActorNursery& n) {
      const Portal seeker = n.start_actor("seeker", {.enable_modules = {watchers}});
      std::vector<Portal> twins;
      for (int i = 0; i < 3; ++i) twins.push_back(n.start_actor("twin"));
      EXPECT_EQ(seeker.run<&looks_for>("twin"), twins.back().uid().uuid);
      EXPECT_EQ(seeker.run<&looks_for>("twin"), twins.back().uid().uuid);
      twins.push_back(n.start_actor("twin"));
      troupe::fail_after(std::chrono::seconds(30), [&] {
        while (seeker.run<&looks_for>("twin") != twins.back().uid().uuid) troupe::checkpoint();
      });
      n.cancel();
    });
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// Being told who joins and leaves, in one tree of real processes: by the arbiter itself, and from
// elsewhere. Several programs: cluster_test.cc.

#include "troupe/discovery/watch.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/discovery/registry.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

std::string text(const troupe::ActorEvent& event) {
  return event.uid().name + (event.joined() ? " joined" : " left");
}

// What children run.

std::vector<std::string> watch_until_gone(const std::string& prefix) {
  return troupe::watch_actors(prefix, [](troupe::ActorEvents& events) {
    std::vector<std::string> told;
    for (const troupe::ActorEvent& event : events) {
      told.push_back(text(event));
      if (event.left()) break;
    }
    return told;
  });
}
void die() { raise(SIGKILL); }
inline const auto& watchers = troupe::module<"watchers", &watch_until_gone, &die>;

// Until the arbiter, which this is, serves nobody who watches.
void wait_until_nobody_watches() {
  while (troupe::Actor::booted().dispatcher().calls() != 0) troupe::sleep(1ms);
}

TEST(WatchTest, WhoIsThereWhoComesAndWhoGoes) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal first = n.start_actor("worker-1");
      n.start_actor("boss");
      const int told = troupe::watch_actors("worker", [&](troupe::ActorEvents& events) {
        const troupe::ActorEvent present = events.receive();
        EXPECT_EQ(text(present), "worker-1 joined");
        EXPECT_EQ(present.uid(), first.uid());
        EXPECT_EQ(present.entry.addresses, std::vector{first.address()});
        n.start_actor("worker-2");
        EXPECT_EQ(text(events.receive()), "worker-2 joined");
        first.cancel_actor();
        EXPECT_EQ(text(events.receive()), "worker-1 left");
        return 3;
      });
      EXPECT_EQ(told, 3) << "what the body returns";
      wait_until_nobody_watches();
      n.cancel();
    });
  });
}

// Over the wire; and who dies without a word has left.
TEST(WatchTest, AnActorElsewhereIsToldTheSame) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal watcher = n.start_actor("watcher", {.enable_modules = {watchers}});
      troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
        tasks.start_soon([&] {
          EXPECT_EQ(watcher.run<&watch_until_gone>("tragic"),
                    (std::vector<std::string>{"tragic joined", "tragic left"}));
        });
        while (troupe::Actor::booted().dispatcher().calls() == 0) troupe::sleep(1ms);
        EXPECT_THROW(troupe::open_nursery([](troupe::ActorNursery& doomed) {
                       doomed.start_actor("tragic", {.enable_modules = {watchers}}).run<&die>();
                     }),
                     troupe::ActorDied);
      });
      n.cancel();
    });
  });
}

TEST(WatchTest, EndsWithItsBodyHoweverThatEnds) {
  troupe::open_root_actor({}, [] {
    troupe::watch_actors("", [](troupe::ActorEvents&) {});
    EXPECT_THROW(
        troupe::watch_actors("", [](troupe::ActorEvents&) { throw std::out_of_range("mine"); }),
        std::out_of_range);
    EXPECT_FALSE(troupe::move_on_after(20ms, [] {
      troupe::watch_actors("nobody", [](troupe::ActorEvents& events) { events.receive(); });
    }));
    wait_until_nobody_watches();
  });
}

// Memory is bounded at the arbiter, and whoever is too slow is told so.
TEST(WatchTest, WhoFallsFarBehindIsTold) {
  troupe::open_root_actor({}, [] {
    troupe::Directory& directory = troupe::Actor::booted().directory();
    const auto come_and_go = [&] {
      const troupe::Uid ghost{"ghost", troupe::make_uuid()};
      directory.announce({ghost, {troupe::Address::parse("ipc:///none")}, "there", {}});
      directory.retract(ghost);
    };
    EXPECT_THROW(troupe::watch_actors("ghost",
                                      [&](troupe::ActorEvents& events) {
                                        come_and_go();
                                        EXPECT_EQ(text(events.receive()), "ghost joined");
                                        for (std::size_t i = 0; i < troupe::Registry::watch_limit;
                                             ++i) {
                                          come_and_go();
                                        }
                                        for (;;) events.receive();
                                      }),
                 troupe::StreamOverrun);
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registry.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Kind = ActorEvent::Kind;

std::string uuid_of(int number) {
  std::string digits = std::to_string(number);
  return std::string(32 - digits.size(), '0') + digits;
}

Address address_of(int number) { return Address::parse("ipc:///run/" + std::to_string(number)); }

DirectoryEntry entry_of(const std::string& name, int number) {
  return {{name, uuid_of(number)}, {address_of(number)}, "here", {}};
}

// ---- Entries ----

// DSC-30, DSC-12: of several actors of one name the newest is found, and all are there.
TEST(RegistryTest, TheLastOfANameComesFirst) {
  Registry registry;
  for (int i = 0; i < 3; ++i) registry.add(entry_of("worker", i));
  EXPECT_EQ(registry.find_all("worker"),
            (std::vector{entry_of("worker", 2), entry_of("worker", 1), entry_of("worker", 0)}));
  EXPECT_TRUE(registry.remove(entry_of("worker", 1).uid));
  EXPECT_EQ(registry.find_all("worker"),
            (std::vector{entry_of("worker", 2), entry_of("worker", 0)}));
  EXPECT_EQ(registry.find_uuid(uuid_of(0)), entry_of("worker", 0));
  EXPECT_FALSE(registry.find_uuid(uuid_of(1)));
}

// DSC-31: who is not in can be taken out without harm.
TEST(RegistryTest, TakingOutWhoIsNotInDoesNothing) {
  Registry registry;
  EXPECT_FALSE(registry.remove(entry_of("nobody", 1).uid));
  registry.add(entry_of("somebody", 2));
  EXPECT_FALSE(registry.remove({"somebody", uuid_of(3)}));
  EXPECT_EQ(registry.size(), 1u);
}

TEST(RegistryTest, ChildrenAreKnownForAsLongAsTheyAreIn) {
  Registry registry;
  for (int i = 1; i <= 3; ++i) {
    DirectoryEntry child = entry_of("child", i);
    child.parent = uuid_of(0);
    registry.add(child);
  }
  registry.add(entry_of("root", 4));
  EXPECT_EQ(registry.children_of(uuid_of(0)).size(), 3u);
  EXPECT_TRUE(registry.children_of("").empty());
  registry.remove(entry_of("child", 2).uid);
  EXPECT_EQ(registry.children_of(uuid_of(0)),
            (std::vector{entry_of("child", 1).uid, entry_of("child", 3).uid}));
  registry.remove(entry_of("child", 1).uid);
  registry.remove(entry_of("child", 3).uid);
  EXPECT_TRUE(registry.children_of(uuid_of(0)).empty());
}

TEST(RegistryTest, ARenewedEntryReplacesTheFormerOne) {
  Registry registry;
  registry.add(entry_of("worker", 1));
  registry.add(entry_of("worker", 2));
  registry.add(entry_of("worker", 1));
  EXPECT_EQ(registry.find_all("worker").front(), entry_of("worker", 2)) << "nothing is new";
  DirectoryEntry moved = entry_of("worker", 1);
  moved.addresses = {address_of(7)};
  registry.add(moved);
  EXPECT_EQ(registry.find_all("worker"), (std::vector{moved, entry_of("worker", 2)}));
  EXPECT_EQ(registry.size(), 2u);
}

// DSC-29: an address that was another's is that one's no longer.
TEST(RegistryTest, AnAddressHasOneOwner) {
  Registry registry;
  DirectoryEntry old = entry_of("old", 1);
  old.addresses.push_back(address_of(2));
  registry.add(old);
  registry.add(entry_of("new", 2));
  EXPECT_EQ(registry.find_all("old").front().addresses, std::vector{address_of(1)});
  registry.add(entry_of("newest", 3));
  DirectoryEntry greedy = entry_of("greedy", 4);
  greedy.addresses = {address_of(1), address_of(3)};
  registry.add(greedy);
  EXPECT_TRUE(registry.find_all("old").empty()) << "nothing leads to it any more";
  EXPECT_TRUE(registry.find_all("newest").empty());
  EXPECT_EQ(registry.find_all("greedy"), std::vector{greedy});
}

TEST(RegistryTest, TheSamePathOnAnotherHostIsAnotherAddress) {
  Registry registry;
  registry.add(entry_of("here", 1));
  DirectoryEntry there = entry_of("there", 2);
  there.addresses = {address_of(1), Address::parse("tcp://192.0.2.1:5")};
  there.host = "elsewhere";
  registry.add(there);
  EXPECT_EQ(registry.find_all("here"), std::vector{entry_of("here", 1)});
  DirectoryEntry thief = entry_of("thief", 3);
  thief.addresses = {Address::parse("tcp://192.0.2.1:5")};
  registry.add(thief);
  EXPECT_EQ(registry.find_all("there").front().addresses, std::vector{address_of(1)})
      << "an address of the network is the same from everywhere";
}

// Ten thousand actors of one name come and go; none of it may take longer for the others.
TEST(RegistryTest, TenThousandActorsComeAndGo) {
  Registry registry;
  for (int i = 0; i < 10'000; ++i) registry.add(entry_of("worker", i));
  EXPECT_EQ(registry.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(registry.find_uuid(uuid_of(i)));
    ASSERT_TRUE(registry.remove(entry_of("worker", i).uid));
  }
  EXPECT_EQ(registry.size(), 0u);
  EXPECT_TRUE(registry.find_all("worker").empty());
}

TEST(RegistryTest, TenThousandNamesAreFoundOneByOne) {
  Registry registry;
  const auto name = [](int i) { return "worker-" + std::to_string(i); };
  for (int i = 0; i < 10'000; ++i) registry.add(entry_of(name(i), i));
  EXPECT_EQ(registry.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(registry.find_newest(name(i)), entry_of(name(i), i));
    ASSERT_EQ(registry.find_all(name(i)).size(), 1u);
  }
}

// ---- Waiting ----

TEST(RegistryTest, WhoIsThereIsNotWaitedFor) {
  run_tasks([] {
    Registry registry;
    registry.add(entry_of("worker", 1));
    EXPECT_EQ(registry.wait_for("worker"), entry_of("worker", 1));
    EXPECT_EQ(registry.names_waited_for(), 0u);
  });
}

TEST(RegistryTest, WaitersAreWokenInTheOrderInWhichTheyCame) {
  run_tasks([] {
    Registry registry;
    std::vector<int> woken;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 5; ++i) {
        n.start_soon([&registry, &woken, i] {
          EXPECT_EQ(registry.wait_for("late"), entry_of("late", 1));
          woken.push_back(i);
        });
      }
      testing::wait_all_tasks_blocked();
      registry.add(entry_of("other", 2));
      registry.add(entry_of("late", 1));
    });
    EXPECT_EQ(woken, (std::vector{0, 1, 2, 3, 4}));
    EXPECT_EQ(registry.names_waited_for(), 0u);
  });
}

TEST(RegistryTest, AThousandWaitersOfOneNameAreAllWokenInOrder) {
  run_tasks([] {
    Registry registry;
    std::vector<int> woken;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 1000; ++i) {
        n.start_soon([&registry, &woken, i] {
          EXPECT_EQ(registry.wait_for("late"), entry_of("late", 1));
          woken.push_back(i);
        });
      }
      testing::wait_all_tasks_blocked();
      registry.add(entry_of("late", 1));
    });
    std::vector<int> in_order(1000);
    std::iota(in_order.begin(), in_order.end(), 0);
    EXPECT_EQ(woken, in_order);
    EXPECT_EQ(registry.names_waited_for(), 0u);
  });
}

// An actor that is gone again before its waiters run has been there for them.
TEST(RegistryTest, AWaiterGetsWhoCameEvenIfThatOneLeavesAtOnce) {
  run_tasks([] {
    Registry registry;
    std::optional<DirectoryEntry> found;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { found = registry.wait_for("hasty"); });
      testing::wait_all_tasks_blocked();
      registry.add(entry_of("hasty", 1));
      registry.remove(entry_of("hasty", 1).uid);
    });
    EXPECT_EQ(found, entry_of("hasty", 1));
  });
}

TEST(RegistryTest, WaitersThatGiveUpLeaveNothing) {
  run_tasks([] {
    Registry registry;
    for (int i = 0; i < 100; ++i) {
      EXPECT_FALSE(move_on_after(0ms, [&] { registry.wait_for("name " + std::to_string(i)); }));
    }
    EXPECT_EQ(registry.names_waited_for(), 0u);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { registry.wait_for("late"); });
      EXPECT_FALSE(move_on_after(0ms, [&] { registry.wait_for("late"); }));
      EXPECT_EQ(registry.names_waited_for(), 1u) << "somebody else still waits";
      registry.add(entry_of("late", 1));
    });
  });
}

// ---- Following a name ----

TEST(RegistryTest, AFollowerHearsOfEachNewestAndOfNobody) {
  run_tasks([] {
    Registry registry;
    const auto next = [&](const std::optional<DirectoryEntry>& known,
                          const std::function<void()>& change) {
      std::optional<DirectoryEntry> heard;
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { heard = registry.wait_for_another("worker", known); });
        testing::wait_all_tasks_blocked();
        EXPECT_EQ(registry.names_followed(), 1u);
        registry.add(entry_of("stranger", 9));
        testing::wait_all_tasks_blocked();
        EXPECT_EQ(registry.names_followed(), 1u) << "another name's affair";
        registry.remove(entry_of("stranger", 9).uid);
        change();
      });
      return heard;
    };
    EXPECT_EQ(next(std::nullopt, [&] { registry.add(entry_of("worker", 1)); }),
              entry_of("worker", 1));
    EXPECT_EQ(next(entry_of("worker", 1), [&] { registry.add(entry_of("worker", 2)); }),
              entry_of("worker", 2));
    EXPECT_EQ(next(entry_of("worker", 2), [&] { registry.remove(entry_of("worker", 2).uid); }),
              entry_of("worker", 1));
    EXPECT_EQ(next(entry_of("worker", 1), [&] { registry.remove(entry_of("worker", 1).uid); }),
              std::nullopt);
    EXPECT_EQ(registry.names_followed(), 0u);
  });
}

// What is no change for who follows, and what he has missed.
TEST(RegistryTest, AFollowerIsToldOfOutcomesOnly) {
  run_tasks([] {
    Registry registry;
    registry.add(entry_of("worker", 1));
    EXPECT_EQ(registry.wait_for_another("worker", std::nullopt), entry_of("worker", 1));
    bool told = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        registry.wait_for_another("worker", entry_of("worker", 1));
        told = true;
      });
      testing::wait_all_tasks_blocked();
      registry.add(entry_of("worker", 2));
      registry.remove(entry_of("worker", 2).uid);
      testing::wait_all_tasks_blocked();
      EXPECT_FALSE(told);
      n.cancel();
    });
    EXPECT_EQ(registry.names_followed(), 0u) << "who gives up leaves nothing";
  });
}

// ---- Watching ----

TEST(RegistryTest, AWatcherHearsWhoIsThereWhoComesAndWhoGoes) {
  run_tasks([] {
    Registry registry;
    registry.add(entry_of("worker-1", 1));
    registry.add(entry_of("boss", 2));
    const auto events = registry.watch("worker");
    registry.add(entry_of("worker-2", 3));
    registry.remove(entry_of("boss", 2).uid);
    registry.remove(entry_of("worker-1", 1).uid);
    EXPECT_EQ(events.receive(), (ActorEvent{Kind::joined, entry_of("worker-1", 1)}));
    EXPECT_EQ(events.receive(), (ActorEvent{Kind::joined, entry_of("worker-2", 3)}));
    EXPECT_EQ(events.receive(), (ActorEvent{Kind::left, entry_of("worker-1", 1)}));
    EXPECT_FALSE(events.try_receive());
  });
}

TEST(RegistryTest, AWatcherHearsOfAnAddressThatIsSomebodyElsesNow) {
  run_tasks([] {
    Registry registry;
    DirectoryEntry worker = entry_of("worker", 1);
    worker.addresses.push_back(address_of(2));
    registry.add(worker);
    const auto events = registry.watch("worker");
    registry.add(entry_of("other", 2));
    EXPECT_EQ(events.receive(), (ActorEvent{Kind::joined, worker}));
    EXPECT_EQ(events.receive(), (ActorEvent{Kind::joined, entry_of("worker", 1)}));
    EXPECT_FALSE(events.try_receive());
  });
}

TEST(RegistryTest, AWatcherThatLeavesIsForgotten) {
  run_tasks([] {
    Registry registry;
    { const auto events = registry.watch(""); }
    registry.add(entry_of("worker", 1));
    const auto events = registry.watch("");
    EXPECT_EQ(events.statistics().open_send_channels, 1u);
    EXPECT_EQ(events.receive().entry, entry_of("worker", 1));
  });
}

// Watchers come and go where nothing else happens.
TEST(RegistryTest, WatchersThatLeaveDoNotPileUp) {
  run_tasks([] {
    Registry registry;
    const auto stays = registry.watch("");
    for (int i = 0; i < 1000; ++i) registry.watch("worker");
    EXPECT_LT(registry.watchers(), 100u);
    registry.add(entry_of("worker", 1));
    EXPECT_EQ(stays.receive().entry, entry_of("worker", 1));
  });
}

// Memory is bounded: who falls too far behind hears so by the end of the channel.
TEST(RegistryTest, AWatcherThatDoesNotReadIsDropped) {
  run_tasks([] {
    Registry registry;
    const auto events = registry.watch("");
    for (std::size_t i = 0; i <= Registry::watch_limit; ++i) {
      registry.add(entry_of("worker", static_cast<int>(i)));
    }
    std::size_t count = 0;
    while (events.next()) ++count;
    EXPECT_EQ(count, Registry::watch_limit);
  });
}

}  // namespace
}  // namespace troupe

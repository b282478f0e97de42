// SPDX-License-Identifier: Apache-2.0

// Who is registered by its parent: the leaves of a tree need no connection to the arbiter.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

// ---- Functions of the branch and the leaf

int own_pid() { return ::getpid(); }

bool finds(const std::string& name) { return troupe::find_actor(name).has_value(); }

inline const auto& leaf = troupe::module<"leaf", &own_pid, &finds>;

// Has one leaf, until it is cancelled.
void keep_leaf() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    n.start_actor("leaf", {.enable_modules = {leaf}});
    troupe::sleep_forever();
  });
}

// Has one for a moment.
void have_leaf() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    n.start_actor("leaf", {.enable_modules = {leaf}});
    n.cancel();
  });
}

// Registers somebody else's uuid as that of a child.
std::string adopt(const std::string& name, const std::string& uuid) {
  troupe::detail::RegistryRecord record;
  record.name = name;
  record.uuid = uuid;
  record.parent = troupe::current_actor().uid().uuid;
  record.addresses = {"ipc:///run/elsewhere"};
  try {
    troupe::get_arbiter().run<&troupe::detail::registry_announce>(record);
  } catch (const troupe::RemoteActorError& error) {
    return error.boxed_message();
  }
  return "no error";
}

inline const auto& branch = troupe::module<"branch", &own_pid, &keep_leaf, &have_leaf, &adopt>;

troupe::Directory& directory() { return troupe::Actor::booted().directory(); }

// Calls `body(nursery, portal of the branch)`.
template <class Body>
void with_branch(Body body) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      body(n, n.start_actor("branch", {.enable_modules = {branch}}));
      n.cancel();
    });
  });
}

// The same, with a leaf.
template <class Body>
void with_leaf(Body body) {
  with_branch([&](troupe::ActorNursery& n, const troupe::Portal& portal) {
    n.start_soon([portal] { portal.run<&keep_leaf>(); });
    const troupe::DirectoryEntry entry = directory().wait_for("leaf");
    body(portal, entry);
  });
}

void wait_until_nobody_is(const std::string& name) {
  while (!directory().find_all(name).empty()) troupe::sleep(2ms);
}

TEST(LeavesTest, ALeafIsKnownThoughItIsNotConnected) {
  with_leaf([](const troupe::Portal& portal, const troupe::DirectoryEntry& entry) {
    EXPECT_EQ(entry.parent, portal.uid().uuid);
    EXPECT_EQ(entry.host, troupe::this_host());
    EXPECT_FALSE(troupe::Actor::booted().connected_to(entry.uid));
    const auto found = troupe::find_actor("leaf");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->uid(), entry.uid);
    EXPECT_NE(found->run<&own_pid>(), portal.run<&own_pid>());
  });
}

TEST(LeavesTest, ALeafThatHasEndedIsOutBeforeItsNurseryIsLeft) {
  with_branch([](troupe::ActorNursery&, const troupe::Portal& portal) {
    for (int i = 0; i < 10; ++i) {
      portal.run<&have_leaf>();
      EXPECT_TRUE(directory().find_all("leaf").empty());
    }
  });
}

TEST(LeavesTest, ALeafThatLooksUpOthersStaysKnown) {
  with_leaf([](const troupe::Portal&, const troupe::DirectoryEntry& entry) {
    const troupe::Portal portal = *troupe::find_actor("leaf");
    EXPECT_TRUE(portal.run<&finds>("branch"));
    EXPECT_TRUE(portal.run<&finds>("leaf"));
    EXPECT_FALSE(portal.run<&finds>("nobody"));
    ASSERT_EQ(directory().find_all("leaf").size(), 1u);
    EXPECT_EQ(directory().find_all("leaf")[0], entry);
  });
}

// The branch fails with it, and so does the root's nursery.
TEST(LeavesTest, AKilledLeafIsTakenOut) {
  EXPECT_ANY_THROW(with_leaf([](const troupe::Portal&, const troupe::DirectoryEntry&) {
    ::kill(troupe::find_actor("leaf")->run<&own_pid>(), SIGKILL);
    wait_until_nobody_is("leaf");
    EXPECT_FALSE(troupe::find_actor("leaf"));
  }));
}

TEST(LeavesTest, TheLeavesOfAKilledBranchAreTakenOut) {
  EXPECT_ANY_THROW(with_leaf([](const troupe::Portal& portal, const troupe::DirectoryEntry& entry) {
    ::kill(portal.run<&own_pid>(), SIGKILL);
    EXPECT_FALSE(troupe::Actor::booted().connected_to(entry.uid));
    wait_until_nobody_is("leaf");
  }));
}

// Whether an entry leads nowhere is asked of the parent.
TEST(LeavesTest, AParentSaysWhetherItsChildLives) {
  with_leaf([](const troupe::Portal& portal, const troupe::DirectoryEntry& entry) {
    EXPECT_FALSE(directory().report_stale(entry));
    EXPECT_EQ(directory().find_all("leaf").size(), 1u);
    directory().announce({{"ghost", troupe::make_uuid()},
                          {troupe::Address::parse("ipc:///tmp/troupe-no-such-socket")},
                          troupe::this_host(),
                          portal.uid().uuid});
    EXPECT_FALSE(troupe::find_actor("ghost"));
    EXPECT_TRUE(directory().find_all("ghost").empty());
  });
}

TEST(LeavesTest, NobodyAdoptsSomebodyElse) {
  with_branch([](troupe::ActorNursery& n, const troupe::Portal& portal) {
    const troupe::Portal victim = n.start_actor("victim");
    const std::string text = portal.run<&adopt>("victim", victim.uid().uuid);
    EXPECT_NE(text.find("may register itself and its children only"), std::string::npos) << text;
    ASSERT_EQ(directory().find_all("victim").size(), 1u);
    EXPECT_EQ(directory().find_all("victim")[0].addresses, std::vector{victim.address()});
  });
}

}  // namespace

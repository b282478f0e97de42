// SPDX-License-Identifier: Apache-2.0

// Who may change what in a registry, and what becomes of entries that lead nowhere: one tree of
// real processes.

#include "troupe/discovery/registrar.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>

#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::detail::RegistryRecord;

template <class Call>
std::string failure_of(Call call) {
  try {
    call();
  } catch (const troupe::RemoteActorError& error) {
    return error.boxed_type() + ": " + error.boxed_message();
  }
  return "no error";
}

// Functions that children run.

std::string register_as(const std::string& name, const std::string& uuid) {
  RegistryRecord record;
  record.name = name;
  record.uuid = uuid;
  record.addresses = {"ipc:///run/elsewhere"};
  return failure_of([&] { troupe::get_arbiter().run<&troupe::detail::registry_announce>(record); });
}

std::string register_rubbish(const std::string& address, const std::string& parent) {
  RegistryRecord record;
  record.name = troupe::current_actor().name();
  record.uuid = troupe::current_actor().uid().uuid;
  record.addresses = {address};
  record.parent = parent;
  return failure_of([&] { troupe::get_arbiter().run<&troupe::detail::registry_announce>(record); });
}

std::string take_out(const std::string& name, const std::string& uuid) {
  return failure_of(
      [&] { troupe::get_arbiter().run<&troupe::detail::registry_retract>(name, uuid); });
}

std::string take_out_own_child() {
  return troupe::open_nursery([](troupe::ActorNursery& n) {
    const troupe::Uid child = n.start_actor("grandchild").uid();
    const bool was_in = troupe::find_actors("grandchild").size() == 1;
    const std::string outcome = take_out(child.name, child.uuid);
    const bool is_in = !troupe::find_actors("grandchild").empty();
    n.cancel();
    return outcome + (was_in && !is_in ? ", it is out" : ", it was not in or is still");
  });
}

std::string own_name() { return troupe::current_actor().name(); }

void kill_oneself() { raise(SIGKILL); }

inline const auto& intrigues =
    troupe::module<"intrigues", &register_as, &register_rubbish, &take_out, &take_out_own_child,
                   &own_name, &kill_oneself>;

troupe::Directory& directory() { return troupe::Actor::booted().directory(); }

// An entry whose actor does not exist.
troupe::DirectoryEntry ghost(const std::string& name) {
  return {{name, troupe::make_uuid()},
          {troupe::Address::parse("ipc:///tmp/troupe-no-such-socket")},
          troupe::this_host(),
          {}};
}

template <class Body>
void in_nursery(Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
}

TEST(RegistrarTest, NobodyRegistersSomebodyElse) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal victim = n.start_actor("victim");
    const troupe::Portal thief = n.start_actor("thief", {.enable_modules = {intrigues}});
    for (const troupe::Uid& uid :
         {victim.uid(), troupe::Uid{"victim", thief.uid().uuid},
          troupe::Uid{"thief", troupe::make_uuid()}, troupe::current_actor().uid()}) {
      const std::string text = thief.run<&register_as>(uid.name, uid.uuid);
      EXPECT_NE(text.find("may register itself and its children only"), std::string::npos) << text;
    }
    EXPECT_EQ(troupe::find_actor("victim")->address(), victim.address());
    n.cancel();
  });
}

TEST(RegistrarTest, EntriesThatCannotBeAreRefused) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal clumsy = n.start_actor("clumsy", {.enable_modules = {intrigues}});
    EXPECT_NE(clumsy.run<&register_rubbish>("nowhere", "").find("is no address"),
              std::string::npos);
    EXPECT_NE(clumsy.run<&register_rubbish>("tcp://127.0.0.1:5", "me").find("no entry"),
              std::string::npos);
    EXPECT_NE(clumsy.run<&register_as>("\xff", "x").find("no entry"), std::string::npos);
    EXPECT_TRUE(troupe::find_actor("clumsy")) << "what was right is still there";
    n.cancel();
  });
}

TEST(RegistrarTest, NobodyTakesOutSomebodyElse) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Uid victim = n.start_actor("victim").uid();
    const troupe::Portal thief = n.start_actor("thief", {.enable_modules = {intrigues}});
    const std::string text = thief.run<&take_out>(victim.name, victim.uuid);
    EXPECT_NE(text.find("itself and its children only"), std::string::npos) << text;
    EXPECT_TRUE(troupe::find_actor("victim"));
    n.cancel();
  });
}

// DSC-31: to take out somebody who is not in is no error.
TEST(RegistrarTest, TakingOutWhoIsNotInIsNoError) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal actor = n.start_actor("actor", {.enable_modules = {intrigues}});
    EXPECT_EQ(actor.run<&take_out>("nobody", troupe::make_uuid()), "no error");
    n.cancel();
  });
}

TEST(RegistrarTest, AParentTakesOutItsChild) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal parent = n.start_actor("parent", {.enable_modules = {intrigues}});
    EXPECT_EQ(parent.run<&take_out_own_child>(), "no error, it is out");
    n.cancel();
  });
}

TEST(RegistrarTest, OnlyAnArbiterHasARegistry) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal actor = n.start_actor("actor", {.enable_modules = {intrigues}});
    EXPECT_THROW(actor.run<&troupe::detail::registry_find>("actor"), troupe::ModuleNotExposed);
    n.cancel();
  });
}

// DSC-01, DSC-02: a fresh root is the arbiter and knows itself alone; a child is in with its
// address as long as it lives. DSC-05: who waits for its own name gets a portal at once.
TEST(RegistrarTest, TheTableHasWhoLives) {
  troupe::open_root_actor({}, [] {
    ASSERT_EQ(troupe::find_actors("root").size(), 1u);
    EXPECT_EQ(troupe::wait_for_actor("root").uid(), troupe::current_actor().uid());
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal child = n.start_actor("child");
      const auto entries = directory().find_all("child");
      ASSERT_EQ(entries.size(), 1u);
      EXPECT_EQ(entries[0].uid, child.uid());
      EXPECT_EQ(entries[0].addresses, std::vector{child.address()});
      EXPECT_EQ(entries[0].parent, troupe::current_actor().uid().uuid);
      EXPECT_EQ(entries[0].host, troupe::this_host());
      n.cancel();
    });
    EXPECT_TRUE(directory().find_all("child").empty());
  });
}

// An actor that is killed is taken out without having said a word.
TEST(RegistrarTest, WhoDiedUnheardIsTakenOut) {
  troupe::open_root_actor({}, [] {
    EXPECT_THROW(troupe::open_nursery([](troupe::ActorNursery& n) {
                   n.start_actor("tragic", {.enable_modules = {intrigues}}).run<&kill_oneself>();
                 }),
                 troupe::ActorDied);
    EXPECT_TRUE(directory().find_all("tragic").empty());
    EXPECT_FALSE(troupe::find_actor("tragic"));
  });
}

// ---- Entries that lead nowhere ----

TEST(RegistrarTest, StaleEntriesAreRemovedWhenFound) {
  troupe::open_root_actor({}, [] {
    directory().announce(ghost("ghost"));
    EXPECT_TRUE(troupe::query_actor("ghost"));
    EXPECT_FALSE(troupe::find_actor("ghost"));
    EXPECT_FALSE(troupe::query_actor("ghost"));
  });
}

TEST(RegistrarTest, AStaleEntryDoesNotHideAnotherOfItsName) {
  in_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal alive = n.start_actor("hamlet");
    directory().announce(ghost("hamlet"));
    EXPECT_EQ(troupe::find_actor("hamlet"), alive);
    EXPECT_EQ(troupe::find_actors("hamlet").size(), 1u);
    n.cancel();
  });
}

TEST(RegistrarTest, WaitingIsNotEndedByAStaleEntry) {
  in_nursery([](troupe::ActorNursery& n) {
    directory().announce(ghost("hamlet"));
    std::string who;
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      tasks.start_soon([&] { who = troupe::wait_for_actor("hamlet").run<&own_name>(); });
      troupe::checkpoint();
      n.start_actor("hamlet", {.enable_modules = {intrigues}});
    });
    EXPECT_EQ(who, "hamlet");
    n.cancel();
  });
}

// An actor that is connected to the arbiter lives; that somebody does not reach it does not change
// that.
TEST(RegistrarTest, WhoLivesIsNotTakenOutOnHearsay) {
  in_nursery([](troupe::ActorNursery& n) {
    n.start_actor("alive");
    EXPECT_FALSE(directory().report_stale(directory().find_all("alive").front()));
    EXPECT_FALSE(directory().report_stale(directory().find_all("root").front()));
    EXPECT_TRUE(troupe::find_actor("alive"));
    n.cancel();
  });
}

}  // namespace

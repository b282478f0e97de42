// SPDX-License-Identifier: Apache-2.0

// Programs to look at while they run: what it does is the first argument, and the second depends on
// that.

#include <cstdio>
#include <iostream>
#include <mutex>
#include <string>

#include "troupe/troupe.h"

namespace {

void say(const std::string& line) { std::cout << line << std::endl; }

// ---- A family ----

void have_child(const std::string& name) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    n.start_actor(name);
    troupe::sleep_forever();
  });
}
void spin() {
  for (volatile bool for_ever = true; for_ever;) {
  }
}
inline const auto& family = troupe::module<"family", &have_child, &spin>;

void be_family(bool one_spins) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    const troupe::Portal parent = n.start_actor("parent", {.enable_modules = {family}});
    const troupe::Portal other = n.start_actor("other", {.enable_modules = {family}});
    n.start_soon("parenthood", [parent] { parent.run<&have_child>("grandchild"); });
    troupe::wait_for_actor("grandchild");
    if (one_spins) n.start_soon("dizziness", [other] { other.run<&spin>(); });
    troupe::checkpoint();
    say("ready");
    troupe::sleep_forever();
  });
}

}  // namespace

// ---- A deadlock ----

struct Account {
  troupe::Lock lock;
  troupe::Event locked;
};
Account& account() {
  static Account instance;
  return instance;
}

void wait_until_locked() { account().locked.wait(); }
void deposit() { const std::scoped_lock held(account().lock); }
void transfer_to(const std::string& other) {
  const std::scoped_lock held(account().lock);
  account().locked.set();
  const troupe::Portal portal = troupe::wait_for_actor(other);
  portal.run<&wait_until_locked>();  // or it might go well for once
  portal.run<&deposit>();
}
inline const auto& bank = troupe::module<"bank", &wait_until_locked, &deposit, &transfer_to>;

void be_deadlocked() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal alice = n.start_actor("alice", {.enable_modules = {bank}});
    const troupe::Portal bob = n.start_actor("bob", {.enable_modules = {bank}});
    n.start_soon("transfer of alice", [alice] { alice.run<&transfer_to>("bob"); });
    n.start_soon("transfer of bob", [bob] { bob.run<&transfer_to>("alice"); });
    troupe::sleep_forever();
  });
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::string more = argc > 2 ? argv[2] : "";
  troupe::RunOptions options;
  options.dump_on_sigusr1 = true;
  if (what == "cluster") options.arbiter_addr = more;
  return troupe::run(argc, argv, std::move(options), [&] {
    if (what == "errors_to" && std::freopen(more.c_str(), "w", stderr) == nullptr) return;
    what == "deadlock" ? be_deadlocked() : be_family(what == "spin");
  });
}

// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registry.h"

#include <algorithm>
#include <utility>

#include "troupe/runtime/fiber/checkpoint.h"

namespace troupe {
namespace {

// Every host has a loopback and files of its own.
std::string place(const Address& address, const std::string& host) {
  return address.is_local() ? host + " " + address.str() : address.str();
}

}  // namespace

// The entry is handed over at the wake-up: it may be gone again before the waiter runs.
struct Registry::Waiter : Parked {
  DirectoryEntry entry;
};

// ---- Entries ----

void Registry::add(const DirectoryEntry& entry) {
  const auto known = uuids_.find(entry.uid.uuid);
  if (known != uuids_.end()) {
    if (*known->second == entry) return;
    take_out(known->second);
  }
  claim_addresses(entry);
  Entries& same_name = names_[entry.uid.name];
  same_name.push_front(entry);
  uuids_[entry.uid.uuid] = same_name.begin();
  if (!entry.parent.empty()) children_[entry.parent].insert(entry.uid);
  wake_waiters(entry);
  wake_followers(entry.uid.name);
  tell(ActorEvent::Kind::joined, entry);
}

bool Registry::remove(const Uid& uid) {
  const auto known = uuids_.find(uid.uuid);
  if (known == uuids_.end()) return false;
  const DirectoryEntry entry = *known->second;
  take_out(known->second);
  wake_followers(entry.uid.name);
  tell(ActorEvent::Kind::left, entry);
  return true;
}

void Registry::take_out(Entries::iterator entry) {
  const std::string uuid = entry->uid.uuid;
  for (const Address& address : entry->addresses) {
    const auto owner = owners_.find(place(address, entry->host));
    if (owner != owners_.end() && owner->second == uuid) owners_.erase(owner);
  }
  const auto siblings = children_.find(entry->parent);
  if (siblings != children_.end()) {
    siblings->second.erase(entry->uid);
    if (siblings->second.empty()) children_.erase(siblings);
  }
  const auto same_name = names_.find(entry->uid.name);
  same_name->second.erase(entry);
  if (same_name->second.empty()) names_.erase(same_name);
  uuids_.erase(uuid);
}

void Registry::claim_addresses(const DirectoryEntry& entry) {
  for (const Address& address : entry.addresses) {
    std::string& owner = owners_[place(address, entry.host)];
    const std::string before = std::exchange(owner, entry.uid.uuid);
    if (!before.empty() && before != entry.uid.uuid) lose_address(before, address);
  }
}

void Registry::lose_address(const std::string& uuid, const Address& address) {
  const auto known = uuids_.find(uuid);
  if (known == uuids_.end()) return;
  std::erase(known->second->addresses, address);
  if (known->second->addresses.empty()) {
    remove(Uid(known->second->uid));
    return;
  }
  wake_followers(known->second->uid.name);
  tell(ActorEvent::Kind::joined, *known->second);
}

std::vector<DirectoryEntry> Registry::all() const {
  std::vector<DirectoryEntry> entries;
  for (const auto& [uuid, entry] : uuids_) entries.push_back(*entry);
  return entries;
}

std::optional<DirectoryEntry> Registry::find_uuid(const std::string& uuid) const {
  const auto found = uuids_.find(uuid);
  if (found == uuids_.end()) return std::nullopt;
  return *found->second;
}

std::vector<DirectoryEntry> Registry::find_all(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::optional<DirectoryEntry> Registry::find_newest(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second.front();
}

std::vector<Uid> Registry::children_of(const std::string& uuid) const {
  const auto found = children_.find(uuid);
  if (found == children_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

// ---- Waiting and watching ----

// Leaves no lot of nobody behind.
void Registry::park(Lots& lots, const std::string& name, Parked& waiter, const char* what) {
  try {
    lots[name].park(waiter, what);
  } catch (...) {
    const auto lot = lots.find(name);
    if (lot != lots.end() && lot->second.empty()) lots.erase(lot);
    throw;
  }
}

DirectoryEntry Registry::wait_for(const std::string& name) {
  const auto present = names_.find(name);
  if (present != names_.end()) {
    DirectoryEntry entry = present->second.front();
    checkpoint();
    return entry;
  }
  Waiter waiter;
  park(waiters_, name, waiter, "wait_for_actor");
  return std::move(waiter.entry);
}

std::optional<DirectoryEntry> Registry::wait_for_another(
    const std::string& name, const std::optional<DirectoryEntry>& known) {
  checkpoint();
  for (;;) {
    std::optional<DirectoryEntry> newest = find_newest(name);
    if (newest != known) return newest;
    Parked waiter;
    park(followers_, name, waiter, "a change of a name");
  }
}

void Registry::wake_followers(const std::string& name) noexcept {
  const auto following = followers_.find(name);
  if (following == followers_.end()) return;
  following->second.unpark_all();
  followers_.erase(following);
}

void Registry::wake_waiters(const DirectoryEntry& entry) {
  const auto waiting = waiters_.find(entry.uid.name);
  if (waiting == waiters_.end()) return;
  while (Parked* waiter = waiting->second.first()) {
    static_cast<Waiter*>(waiter)->entry = entry;
    waiting->second.unpark_one();
  }
  waiters_.erase(waiting);
}

// Who has gone would else be noticed at the next event only, which may never come.
void Registry::forget_idle_watches() {
  if (watches_.size() < enough_watches_) return;
  std::erase_if(watches_, [](const Watch& watch) {
    return watch.events.statistics().open_receive_channels == 0;
  });
  enough_watches_ = std::max<std::size_t>(16, 2 * watches_.size());
}

MemoryReceiveChannel<ActorEvent> Registry::watch(std::string prefix) {
  forget_idle_watches();
  std::vector<const DirectoryEntry*> present;
  for (const auto& [name, entries] : names_) {
    if (!name.starts_with(prefix)) continue;
    for (const DirectoryEntry& entry : entries) present.push_back(&entry);
  }
  auto channel = open_memory_channel<ActorEvent>(present.size() + watch_limit);
  for (const DirectoryEntry* entry : present) {
    channel.send.send_nowait(ActorEvent{ActorEvent::Kind::joined, *entry});
  }
  watches_.push_back({std::move(prefix), std::move(channel.send)});
  return std::move(channel.receive);
}

// A watcher that has gone, or is too slow, is forgotten: with its end of the channel closed it
// knows, once it has read the rest.
void Registry::tell(ActorEvent::Kind kind, const DirectoryEntry& entry) {
  std::erase_if(watches_, [&](const Watch& watch) {
    if (!entry.uid.name.starts_with(watch.prefix)) return false;
    try {
      return !watch.events.try_send(ActorEvent{kind, entry});
    } catch (const BrokenChannel&) {
      return true;
    }
  });
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registry.h"

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
  wake_waiters(entry);
  tell(RegistryEvent::Kind::joined, entry);
}

bool Registry::remove(const Uid& uid) {
  const auto known = uuids_.find(uid.uuid);
  if (known == uuids_.end()) return false;
  const DirectoryEntry entry = *known->second;
  take_out(known->second);
  tell(RegistryEvent::Kind::left, entry);
  return true;
}

void Registry::take_out(Entries::iterator entry) {
  const std::string uuid = entry->uid.uuid;
  for (const Address& address : entry->addresses) {
    const auto owner = owners_.find(place(address, entry->host));
    if (owner != owners_.end() && owner->second == uuid) owners_.erase(owner);
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
  if (known->second->addresses.empty()) remove(Uid(known->second->uid));
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

// ---- Waiting and watching ----

DirectoryEntry Registry::wait_for(const std::string& name) {
  const auto present = names_.find(name);
  if (present != names_.end()) {
    DirectoryEntry entry = present->second.front();
    checkpoint();
    return entry;
  }
  Waiter waiter;
  try {
    waiters_[name].park(waiter, "wait_for_actor");
  } catch (...) {
    const auto lot = waiters_.find(name);
    if (lot != waiters_.end() && lot->second.empty()) waiters_.erase(lot);
    throw;
  }
  return std::move(waiter.entry);
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

MemoryReceiveChannel<RegistryEvent> Registry::watch(std::string prefix) {
  std::vector<const DirectoryEntry*> present;
  for (const auto& [name, entries] : names_) {
    if (!name.starts_with(prefix)) continue;
    for (const DirectoryEntry& entry : entries) present.push_back(&entry);
  }
  auto channel = open_memory_channel<RegistryEvent>(present.size() + watch_limit);
  for (const DirectoryEntry* entry : present) {
    channel.send.send_nowait(RegistryEvent{RegistryEvent::Kind::joined, *entry});
  }
  watches_.push_back({std::move(prefix), std::move(channel.send)});
  return std::move(channel.receive);
}

// A watcher that has gone, or is too slow, is forgotten: with its end of the channel closed it
// knows, once it has read the rest.
void Registry::tell(RegistryEvent::Kind kind, const DirectoryEntry& entry) {
  std::erase_if(watches_, [&](const Watch& watch) {
    if (!entry.uid.name.starts_with(watch.prefix)) return false;
    try {
      return !watch.events.try_send(RegistryEvent{kind, entry});
    } catch (const BrokenChannel&) {
      return true;
    }
  });
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registry.h"

#include <utility>

#include "troupe/runtime/fiber/checkpoint.h"

namespace troupe {

// The entry is handed over at the wake-up: it may be gone again before the waiter runs.
struct Registry::Waiter : Parked {
  DirectoryEntry entry;
};

void Registry::add(const DirectoryEntry& entry) {
  remove(entry.uid);
  entries_[entry.uid.name].push_front(entry);
  names_[entry.uid.uuid] = entry.uid.name;
  const auto waiting = waiters_.find(entry.uid.name);
  if (waiting == waiters_.end()) return;
  while (Parked* waiter = waiting->second.first()) {
    static_cast<Waiter*>(waiter)->entry = entry;
    waiting->second.unpark_one();
  }
  waiters_.erase(waiting);
}

void Registry::remove(const Uid& uid) {
  const auto known = names_.find(uid.uuid);
  if (known == names_.end()) return;
  const auto same_name = entries_.find(known->second);
  same_name->second.remove_if(
      [&](const DirectoryEntry& entry) { return entry.uid.uuid == uid.uuid; });
  if (same_name->second.empty()) entries_.erase(same_name);
  names_.erase(known);
}

std::optional<DirectoryEntry> Registry::find(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return found->second.front();
}

std::vector<DirectoryEntry> Registry::find_all(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

DirectoryEntry Registry::wait_for(const std::string& name) {
  if (std::optional<DirectoryEntry> present = find(name)) {
    checkpoint();
    return *std::move(present);
  }
  Waiter waiter;
  waiters_[name].park(waiter, "wait_for_actor");
  return std::move(waiter.entry);
}

}  // namespace troupe

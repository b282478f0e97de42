// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/find.h"

#include "troupe/ipc/connection.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/rpc/peer.h"

namespace troupe {
namespace {

Portal portal_to(const DirectoryEntry& entry) {
  return Actor::booted().portal(entry.uid, entry.addresses.front());
}

Portal connected(const DirectoryEntry& entry) {
  Portal portal = portal_to(entry);
  if (entry.uid != Actor::booted().uid()) portal.peer()->connect();
  return portal;
}

}  // namespace

Portal wait_for_actor(const std::string& name) {
  return connected(Actor::booted().directory().wait_for(name));
}

std::optional<Portal> find_actor(const std::string& name) {
  const std::optional<DirectoryEntry> entry = Actor::booted().directory().find(name);
  if (!entry) return std::nullopt;
  return connected(*entry);
}

std::vector<Portal> find_actors(const std::string& name) {
  std::vector<Portal> portals;
  for (const DirectoryEntry& entry : Actor::booted().directory().find_all(name)) {
    portals.push_back(portal_to(entry));
  }
  return portals;
}

std::optional<Address> query_actor(const std::string& name) {
  const std::optional<DirectoryEntry> entry = Actor::booted().directory().find(name);
  if (!entry) return std::nullopt;
  return entry->addresses.front();
}

Portal get_arbiter() { return portal_to(Actor::booted().directory().arbiter()); }

Portal get_registry() { return get_arbiter(); }

}  // namespace troupe

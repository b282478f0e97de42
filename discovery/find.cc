// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/find.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "troupe/discovery/cluster.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/rpc/peer.h"

namespace troupe {
namespace {

Directory& directory() { return Actor::booted().directory(); }

Portal connected(const DirectoryEntry& entry) {
  Portal portal = Actor::booted().portal(entry);
  if (entry.uid != Actor::booted().uid()) portal.peer()->connect();
  return portal;
}

// A connected portal, or why there is none.
struct Attempt {
  std::optional<Portal> portal;
  std::exception_ptr error;
};

Attempt try_to_connect(const DirectoryEntry& entry) {
  try {
    return {connected(entry), nullptr};
  } catch (const TransportClosed&) {
    return {std::nullopt, std::current_exception()};
  } catch (const ActorDied&) {
    return {std::nullopt, std::current_exception()};
  }
}

bool contains(const std::vector<Address>& addresses, const Address& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

// Whether who listens there has this actor's own key.
bool is_in_own_cluster(Actor& actor, const Address& address) {
  if (actor.config().in_cluster || contains(actor.entry().addresses, address)) return true;
  const std::vector<DirectoryEntry> arbiters = actor.directory().arbiters();
  return std::any_of(arbiters.begin(), arbiters.end(), [&](const DirectoryEntry& arbiter) {
    return contains(arbiter.addresses, address);
  });
}

}  // namespace

// The one that is found may be gone already, without the arbiter having noticed: then it is told,
// and the next one is waited for. Told in vain, it would say the same again for ever.
Portal wait_for_actor(const std::string& name) {
  DirectoryEntry reported;
  for (;;) {
    const DirectoryEntry entry = directory().wait_for(name);
    const Attempt attempt = try_to_connect(entry);
    if (attempt.portal) return *attempt.portal;
    if (entry == reported || !directory().report_stale(entry)) {
      std::rethrow_exception(attempt.error);
    }
    reported = entry;
  }
}

std::optional<Portal> find_actor(const std::string& name) {
  if (std::shared_ptr<Peer> known = directory().remembered(name)) {
    checkpoint();
    return Portal(std::move(known));
  }
  std::exception_ptr error;
  for (const DirectoryEntry& entry : directory().find_all(name)) {
    const Attempt attempt = try_to_connect(entry);
    if (attempt.portal) {
      directory().remember(name, attempt.portal->peer());
      return attempt.portal;
    }
    if (!directory().report_stale(entry) && !error) error = attempt.error;
  }
  if (error) std::rethrow_exception(error);
  return std::nullopt;
}

std::vector<Portal> find_actors(const std::string& name) {
  std::vector<Portal> portals;
  for (const DirectoryEntry& entry : directory().find_all(name)) {
    portals.push_back(Actor::booted().portal(entry));
  }
  return portals;
}

std::optional<Address> query_actor(const std::string& name) {
  const std::vector<DirectoryEntry> found = directory().find_all(name);
  if (found.empty() || found.front().addresses.empty()) return std::nullopt;
  const std::vector<Address> near = nearest_first(found.front().addresses, found.front().host);
  return near.empty() ? found.front().addresses.front() : near.front();
}

Portal get_arbiter() { return Actor::booted().portal(directory().arbiter()); }

Portal get_arbiter(const Address& address) {
  Actor& actor = Actor::booted();
  if (is_in_own_cluster(actor, address)) return actor.portal_at({address});
  const Key key = cluster_key(actor.config(), {address});
  return actor.portal_at({address}, &key);
}

Portal get_arbiter(const std::string& address) { return get_arbiter(Address::parse(address)); }

Portal get_registry() { return get_arbiter(); }

Portal get_registry(const std::string& address) { return get_arbiter(address); }

}  // namespace troupe

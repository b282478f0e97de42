// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/find_cache.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>

#include "troupe/discovery/arbiter_link.h"
#include "troupe/discovery/registry_calls.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {
namespace {

using detail::RegistryRecord;

// A name may be forgotten for another one when so many finds have passed without it. An actor that
// looks for more names than fit, in turns, keeps some of them instead of changing all the time.
constexpr std::uint64_t old = 4 * FindCache::limit;
// So many names may take turns, and yet be found again.
constexpr std::size_t max_found = 16 * FindCache::limit;

}  // namespace

struct FindCache::Name {
  std::shared_ptr<Peer> peer;   // who was found last
  std::string newest;           // the uuid that the arbiter tells; empty: it has told nothing yet
  std::uint64_t last_find = 0;  // the number of the find
  CancelScope following;
};

std::shared_ptr<Peer> FindCache::find(const std::string& name) {
  ++finds_;
  const auto known = names_.find(name);
  if (known == names_.end()) return nullptr;
  Name& entry = *known->second;
  entry.last_find = finds_;
  if (!entry.peer || entry.peer->uid().uuid != entry.newest) return nullptr;
  if (!entry.peer->connected()) entry.peer.reset();
  return entry.peer;
}

void FindCache::remember(const std::string& name, const std::shared_ptr<Peer>& peer) {
  const auto known = names_.find(name);
  if (known != names_.end()) {
    known->second->peer = peer;
    return;
  }
  if (!is_found_again(name) || !make_room()) return;
  const auto entry = std::make_shared<Name>();
  entry->peer = peer;
  entry->last_find = finds_;
  actor_.runtime().start_soon("follow a name", [this, name, entry] { follow(name, *entry); });
  names_.emplace(name, entry);
}

bool FindCache::is_found_again(const std::string& name) {
  if (found_.size() >= max_found) found_.clear();
  return !found_.insert(std::hash<std::string>{}(name)).second;
}

bool FindCache::make_room() {
  if (names_.size() < limit) return true;
  const auto oldest = std::min_element(
      names_.begin(), names_.end(),
      [](const auto& a, const auto& b) { return a.second->last_find < b.second->last_find; });
  if (finds_ - oldest->second->last_find < old) return false;
  oldest->second->following.cancel("other names are looked for");
  names_.erase(oldest);
  return true;
}

// The entry ends with the arbiter's word, and when nobody has the name any more.
void FindCache::follow(const std::string& name, Name& entry) {
  entry.following.run([&] {
    try {
      arbiter_.portal().open_stream<&detail::registry_follow>(
          name, [&](ReceiveStream<std::optional<RegistryRecord>>& newest) {
            struct Silence {
              std::string& newest;
              ~Silence() { newest.clear(); }
            } const silence{entry.newest};
            for (const auto& record : newest) {
              if (!record) return;
              entry.newest = record->uuid;
            }
          });
    } catch (const std::exception&) {  // the next find asks the arbiter, and says what is wrong
    }
  });
  const auto known = names_.find(name);
  if (known != names_.end() && known->second.get() == &entry) names_.erase(known);
}

void FindCache::clear() noexcept {
  for (const auto& [name, entry] : names_) entry->following.cancel("the arbiter is gone");
  names_.clear();
}

}  // namespace troupe

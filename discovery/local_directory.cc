// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/local_directory.h"

#include <optional>

#include "troupe/discovery/registry_calls.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"

namespace troupe {

LocalDirectory::LocalDirectory(Actor& actor) : actor_(actor) {
  actor.dispatcher().expose_with_caller(detail::registry_module());
}

// Whoever is in has a connection to us, or had one a moment ago.
bool LocalDirectory::report_stale(const DirectoryEntry& entry) {
  const std::optional<DirectoryEntry> present = registry_.find_uuid(entry.uid.uuid);
  if (!present || present->addresses != entry.addresses) return true;
  if (present->uid == actor_.uid() || actor_.connected_to(present->uid)) return false;
  registry_.remove(present->uid);
  return true;
}

void LocalDirectory::peer_gone(const Uid& uid) noexcept {
  if (uid != actor_.uid()) registry_.remove(uid);  // it may have been connected to itself
}

DirectoryEntry LocalDirectory::arbiter() { return actor_.entry(); }

std::vector<DirectoryEntry> LocalDirectory::arbiters() const { return {actor_.entry()}; }

void LocalDirectory::retract_for(const Uid& caller, const Uid& uid) {
  const std::optional<DirectoryEntry> entry = registry_.find_uuid(uid.uuid);
  if (!entry) {
    log_message(LogLevel::info, "discovery",
                caller.to_string() + " takes out " + uid.to_string() + ", which is not in");
    return;
  }
  if (caller.uuid != entry->uid.uuid && caller.uuid != entry->parent) {
    throw UsageError("actor " + caller.to_string() +
                     " may take out itself and its children only, not " + entry->uid.to_string());
  }
  registry_.remove(entry->uid);
}

}  // namespace troupe

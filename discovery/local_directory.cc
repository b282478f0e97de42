// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/local_directory.h"

#include <chrono>
#include <optional>

#include "troupe/discovery/registry_calls.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

// How long an actor may take to say whether it has a child.
constexpr std::chrono::seconds answer_limit{1};

}  // namespace

LocalDirectory::LocalDirectory(Actor& actor) : actor_(actor) {
  actor.dispatcher().expose_with_caller(detail::registry_module());
}

bool LocalDirectory::report_stale(const DirectoryEntry& entry) {
  const std::optional<DirectoryEntry> present = registry_.find_uuid(entry.uid.uuid);
  if (!present || present->addresses != entry.addresses) return true;
  if (lives(*present)) return false;
  registry_.remove(present->uid);
  return true;
}

// Whoever is in has a connection to us, or a parent that has, or had one a moment ago.
bool LocalDirectory::lives(const DirectoryEntry& entry) {
  if (entry.uid == actor_.uid() || actor_.connected_to(entry.uid)) return true;
  const std::optional<DirectoryEntry> parent = registry_.find_uuid(entry.parent);
  if (!parent || !actor_.connected_to(parent->uid)) return false;
  try {
    const auto answer = move_on_after(answer_limit, [&] {
      return actor_.portal(*parent).run<&detail::has_child>(entry.uid.uuid);
    });
    return !answer || *answer;  // a parent that is busy is not dead
  } catch (const Error&) {
    return false;  // it has gone while it was asked
  }
}

void LocalDirectory::peer_gone(const Uid& uid) noexcept {
  if (uid == actor_.uid()) return;  // it may have been connected to itself
  registry_.remove(uid);
  for (const Uid& child : registry_.children_of(uid.uuid)) {
    if (!actor_.connected_to(child)) registry_.remove(child);
  }
}

DirectoryEntry LocalDirectory::arbiter() { return actor_.entry(); }

std::vector<DirectoryEntry> LocalDirectory::arbiters() const { return {actor_.entry()}; }

void LocalDirectory::announce_for(const Uid& caller, const DirectoryEntry& entry) {
  if (entry.uid != caller) {
    const std::optional<DirectoryEntry> present = registry_.find_uuid(entry.uid.uuid);
    if (entry.parent != caller.uuid || (present && present->parent != caller.uuid)) {
      throw UsageError("actor " + caller.to_string() +
                       " may register itself and its children only, not " + entry.uid.to_string());
    }
  }
  registry_.add(entry);
}

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

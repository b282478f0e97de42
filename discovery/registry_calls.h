// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an arbiter lets its peers call, the module "troupe.registry", and how entries travel. The
// functions run in the arbiter; others name them in calls.

#include <optional>
#include <string>
#include <vector>

#include "troupe/discovery/actor_event.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/stream.h"

namespace troupe::detail {

/// An entry as it travels.
struct RegistryRecord {
  std::string name;
  std::string uuid;
  std::vector<std::string> addresses;
  std::string host;
  std::string parent;

  RegistryRecord() = default;
  explicit RegistryRecord(const DirectoryEntry& entry);
  /// The entry. Throws `UsageError` when it cannot be one.
  DirectoryEntry entry() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, uuid, addresses, host, parent);
  }
};

/// An event as it travels.
struct RegistryNews {
  bool joined = true;
  RegistryRecord record;

  RegistryNews() = default;
  explicit RegistryNews(const ActorEvent& event) : joined(event.joined()), record(event.entry) {}
  /// The event. Throws as `RegistryRecord::entry`.
  ActorEvent event() const {
    return {joined ? ActorEvent::Kind::joined : ActorEvent::Kind::left, record.entry()};
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(joined, record);
  }
};

/// Enters the caller, or renews its entry. Throws `UsageError` for anybody else.
void registry_announce(const RegistryRecord& record);
/// Takes the caller out, or one of its children. Throws `UsageError` for anybody else.
void registry_retract(const std::string& name, const std::string& uuid);
/// Every actor.
std::vector<RegistryRecord> registry_list();
/// Every actor of that name, the last first.
std::vector<RegistryRecord> registry_find(const std::string& name);
/// Waits until somebody has that name.
RegistryRecord registry_wait(const std::string& name);
/// Tells of the actors whose names begin with `prefix`: first nothing, to say that it knows of the
/// watcher; then those that are in; and then who joins and leaves. Throws `StreamOverrun` when the
/// receiver is too slow.
void registry_watch(Sink<std::optional<RegistryNews>> out, const std::string& prefix);
/// Tells who of that name came last, at first and whenever it is another one, or nobody.
void registry_follow(Sink<std::optional<RegistryRecord>> out, const std::string& name);
/// See `Directory::report_stale`.
bool registry_report_stale(const RegistryRecord& record);

/// The module of these functions.
const Module& registry_module();

}  // namespace troupe::detail

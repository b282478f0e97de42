// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registry_calls.h"

#include "troupe/discovery/local_directory.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/caller.h"
#include "troupe/runtime/rpc/errors.h"

namespace troupe::detail {
namespace {

// What a peer may have us keep of it.
constexpr std::size_t max_addresses = 64;
constexpr std::size_t max_host = 512;

// The module is exposed by such a directory only.
LocalDirectory& here() { return static_cast<LocalDirectory&>(Actor::current().directory()); }

const Uid& caller() {
  const Uid* uid = current_caller();
  if (uid == nullptr) throw UsageError("the registry's functions are for calls from other actors");
  return *uid;
}

std::vector<RegistryRecord> records(const std::vector<DirectoryEntry>& entries) {
  return {entries.begin(), entries.end()};
}

}  // namespace

RegistryRecord::RegistryRecord(const DirectoryEntry& from)
    : name(from.uid.name), uuid(from.uid.uuid), host(from.host), parent(from.parent) {
  for (const Address& address : from.addresses) addresses.push_back(address.str());
}

DirectoryEntry RegistryRecord::entry() const {
  const bool has_parent = !parent.empty();
  if (!name_fault(name).empty() || !is_uuid(uuid) || (has_parent && !is_uuid(parent)) ||
      addresses.size() > max_addresses || host.size() > max_host) {
    throw UsageError("this is no entry of a registry; make both programs of the same version");
  }
  DirectoryEntry entry{{name, uuid}, {}, host, parent};
  for (const std::string& text : addresses) entry.addresses.push_back(Address::parse(text));
  return entry;
}

void registry_announce(const RegistryRecord& record) {
  const Uid& from = caller();
  const DirectoryEntry entry = record.entry();
  // Its end takes the entries out, so it must be still to come.
  if (!Actor::current().connected_to(from)) {
    throw UsageError("actor " + from.to_string() + " has left before it was registered");
  }
  here().announce_for(from, entry);
}

void registry_retract(const std::string& name, const std::string& uuid) {
  here().retract_for(caller(), {name, uuid});
}

std::vector<RegistryRecord> registry_list() { return records(here().registry().all()); }

std::vector<RegistryRecord> registry_find(const std::string& name) {
  return records(here().find_all(name));
}

RegistryRecord registry_wait(const std::string& name) {
  return RegistryRecord(here().wait_for(name));
}

void registry_watch(Sink<std::optional<RegistryNews>> out, const std::string& prefix) {
  const MemoryReceiveChannel<ActorEvent> events = here().registry().watch(prefix);
  out.send(std::nullopt);
  for (const ActorEvent& event : events) out.send(RegistryNews(event));
  throw StreamOverrun("who watches the names that begin with '" + prefix + "' fell " +
                      std::to_string(Registry::watch_limit) +
                      " events behind; read faster, and watch anew");
}

void registry_follow(Sink<std::optional<RegistryRecord>> out, const std::string& name) {
  std::optional<DirectoryEntry> newest = here().registry().find_newest(name);
  for (;;) {
    out.send(newest ? std::optional<RegistryRecord>(*newest) : std::nullopt);
    newest = here().registry().wait_for_another(name, newest);
  }
}

bool registry_report_stale(const RegistryRecord& record) {
  return here().report_stale(record.entry());
}

const Module& registry_module() {
  return module<"troupe.registry", &registry_announce, &registry_retract, &registry_list,
                &registry_find, &registry_wait, &registry_watch, &registry_follow,
                &registry_report_stale>;
}

}  // namespace troupe::detail

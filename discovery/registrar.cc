// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registrar.h"

#include <string>
#include <utility>
#include <vector>

#include "troupe/discovery/registry.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {
namespace detail {
namespace {

// An entry as it travels.
struct Record {
  std::string name;
  std::string uuid;
  std::vector<std::string> addresses;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, uuid, addresses);
  }
};

Record to_record(const DirectoryEntry& entry) {
  Record record{entry.uid.name, entry.uid.uuid, {}};
  for (const Address& address : entry.addresses) record.addresses.push_back(address.str());
  return record;
}

DirectoryEntry to_entry(const Record& record) {
  DirectoryEntry entry{{record.name, record.uuid}, {}};
  for (const std::string& text : record.addresses) entry.addresses.push_back(Address::parse(text));
  return entry;
}

std::vector<DirectoryEntry> to_entries(const std::vector<Record>& records) {
  std::vector<DirectoryEntry> entries;
  for (const Record& record : records) entries.push_back(to_entry(record));
  return entries;
}

// The arbiter's side, called by its peers.

Directory& here() { return Actor::current().directory(); }

void registry_announce(const Record& record) { here().announce(to_entry(record)); }

void registry_retract(const std::string& name, const std::string& uuid) {
  here().retract({name, uuid});
}

std::vector<Record> registry_find(const std::string& name) {
  std::vector<Record> records;
  for (const DirectoryEntry& entry : here().find_all(name)) records.push_back(to_record(entry));
  return records;
}

Record registry_wait(const std::string& name) { return to_record(here().wait_for(name)); }

const Module& registry_module() {
  return module<"troupe.registry", &registry_announce, &registry_retract, &registry_find,
                &registry_wait>;
}

// The arbiter's own directory.
class LocalDirectory final : public Directory {
 public:
  explicit LocalDirectory(Actor& actor) : actor_(actor) {
    actor.dispatcher().expose(registry_module());
  }

  void announce(const DirectoryEntry& entry) override { registry_.add(entry); }
  void retract(const Uid& uid) override { registry_.remove(uid); }
  std::optional<DirectoryEntry> find(const std::string& name) override {
    return registry_.find(name);
  }
  std::vector<DirectoryEntry> find_all(const std::string& name) override {
    return registry_.find_all(name);
  }
  DirectoryEntry wait_for(const std::string& name) override { return registry_.wait_for(name); }
  void peer_gone(const Uid& uid) noexcept override { registry_.remove(uid); }
  DirectoryEntry arbiter() const override { return actor_.entry(); }

 private:
  Actor& actor_;
  Registry registry_;
};

// Everybody else's.
class RemoteDirectory final : public Directory {
 public:
  RemoteDirectory(Actor& actor, DirectoryEntry arbiter)
      : actor_(actor), arbiter_(std::move(arbiter)) {}

  void announce(const DirectoryEntry& entry) override {
    portal().run<&registry_announce>(to_record(entry));
  }
  // An arbiter that has lost us has removed us already.
  void retract(const Uid& uid) override {
    if (portal().connected()) portal().run<&registry_retract>(uid.name, uid.uuid);
  }
  std::optional<DirectoryEntry> find(const std::string& name) override {
    std::vector<DirectoryEntry> all = find_all(name);
    if (all.empty()) return std::nullopt;
    return std::move(all.front());
  }
  std::vector<DirectoryEntry> find_all(const std::string& name) override {
    return to_entries(portal().run<&registry_find>(name));
  }
  DirectoryEntry wait_for(const std::string& name) override {
    return to_entry(portal().run<&registry_wait>(name));
  }
  void peer_gone(const Uid&) noexcept override {}
  DirectoryEntry arbiter() const override { return arbiter_; }

 private:
  Portal portal() { return actor_.portal(arbiter_.uid, arbiter_.addresses.front()); }

  Actor& actor_;
  DirectoryEntry arbiter_;
};

}  // namespace
}  // namespace detail

std::unique_ptr<Directory> make_directory(Actor& actor) {
  if (actor.config().arbiter) {
    return std::make_unique<detail::RemoteDirectory>(actor, *actor.config().arbiter);
  }
  return std::make_unique<detail::LocalDirectory>(actor);
}

}  // namespace troupe

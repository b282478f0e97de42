// SPDX-License-Identifier: Apache-2.0
#pragma once

// The arbiter's own directory: the registry itself, which its peers ask through the module
// "troupe.registry".

#include <string>
#include <vector>

#include "troupe/discovery/registry.h"
#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

/// The directory of the actor that keeps the names. An entry lives no longer than the connection
/// over which it was made: the actor's own, or else its parent's.
class LocalDirectory final : public Directory {
 public:
  /// Makes `actor` an arbiter: its peers may call the registry's functions from now on.
  explicit LocalDirectory(Actor& actor);

  void announce(const DirectoryEntry& entry) override { registry_.add(entry); }
  void retract(const Uid& uid) override { registry_.remove(uid); }
  std::vector<DirectoryEntry> find_all(const std::string& name) override {
    return registry_.find_all(name);
  }
  DirectoryEntry wait_for(const std::string& name) override { return registry_.wait_for(name); }
  bool report_stale(const DirectoryEntry& entry) override;
  void child_serves(const DirectoryEntry& entry) override { registry_.add(entry); }
  void child_left(const Uid& uid) override { registry_.remove(uid); }
  void peer_gone(const Uid& uid) noexcept override;
  void child_died(const Uid& uid) noexcept override { registry_.remove(uid); }
  DirectoryEntry arbiter() override;
  std::vector<DirectoryEntry> arbiters() const override;

  /// Enters an actor because `caller` says so. Throws `UsageError` unless that is the actor itself
  /// or its parent. Never waits.
  void announce_for(const Uid& caller, const DirectoryEntry& entry);
  /// Takes `uid` out because `caller` says so. Throws `UsageError` unless that is the actor itself
  /// or its parent; an actor that is not in is no error. Never waits.
  void retract_for(const Uid& caller, const Uid& uid);
  /// The table.
  Registry& registry() noexcept { return registry_; }

 private:
  bool lives(const DirectoryEntry& entry);

  Actor& actor_;
  Registry registry_;
};

}  // namespace troupe

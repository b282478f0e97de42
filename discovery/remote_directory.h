// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directory of every actor but the arbiter: what it is asked it asks the arbiters, one or
// several, at each of which the actor is registered, by itself or by its parent. So a tree's leaves
// need no connection to an arbiter before they look somebody up.

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/discovery/arbiter_link.h"
#include "troupe/discovery/find_cache.h"
#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

/// A directory kept elsewhere.
class RemoteDirectory final : public Directory {
 public:
  /// `arbiters`: where they listen; at least one.
  RemoteDirectory(Actor& actor, const std::vector<DirectoryEntry>& arbiters);

  /// Registers with every arbiter that answers, and from then on keeps that up. Throws when none
  /// does, unless the actor is a child: the tree has joined, so they will be back.
  void announce(const DirectoryEntry& entry) override;
  void retract(const Uid& uid) override;
  std::vector<DirectoryEntry> find_all(const std::string& name) override;
  DirectoryEntry wait_for(const std::string& name) override;
  bool report_stale(const DirectoryEntry& entry) override;
  void child_serves(const DirectoryEntry& entry) override;
  void child_left(const Uid& uid) override;
  void peer_gone(const Uid& uid) noexcept override;
  void child_died(const Uid& uid) noexcept override;
  DirectoryEntry arbiter() override;
  std::vector<DirectoryEntry> arbiters() const override;
  std::shared_ptr<Peer> remembered(const std::string& name) override;
  void remember(const std::string& name, const std::shared_ptr<Peer>& peer) override;

 private:
  void register_again(ArbiterLink& link);
  bool only_arbiters_are_connected() const;
  std::exception_ptr for_each_link(const std::function<void(ArbiterLink&)>& fn);

  Actor& actor_;
  Entries entries_;  // its own, and its children's
  std::vector<std::unique_ptr<ArbiterLink>> links_;
  std::optional<FindCache> found_;  // with one arbiter only: of several nobody knows all
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names that are looked up again and again: while the arbiter tells who has a name, whoever was
// found is found again without a message. That takes a stream and a task at both ends, so it begins
// with the second find; most names are looked up once. What is remembered is wrong for no longer
// than the arbiter's word takes to come; it is forgotten when the arbiter or the actor is gone.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "troupe/runtime/rpc/peer.h"

namespace troupe {

class Actor;
class ArbiterLink;

/// The names that one actor has found at one arbiter. Resource.
class FindCache {
 public:
  /// How many names are remembered at most.
  static constexpr std::size_t limit = 64;

  /// Lifetime: all must outlive it, and the actor's own tasks must end before it.
  FindCache(Actor& actor, ArbiterLink& arbiter) : actor_(actor), arbiter_(arbiter) {}
  FindCache(const FindCache&) = delete;
  FindCache& operator=(const FindCache&) = delete;

  /// Who of that name came last, connected; null when that must be asked. Never waits.
  std::shared_ptr<Peer> find(const std::string& name);
  /// `peer` was found by that name: if not for the first time, the arbiter is to tell from now on
  /// who has it, in a task of the actor's own. Does nothing while so many other names are in use.
  /// Never waits.
  void remember(const std::string& name, const std::shared_ptr<Peer>& peer);
  /// Forgets everything. Never waits.
  void clear() noexcept;
  /// How many names are remembered.
  std::size_t size() const noexcept { return names_.size(); }

 private:
  struct Name;

  bool is_found_again(const std::string& name);
  bool make_room();
  void follow(const std::string& name, Name& entry);

  Actor& actor_;
  ArbiterLink& arbiter_;
  std::unordered_map<std::string, std::shared_ptr<Name>> names_;  // shared with their tasks
  std::unordered_set<std::size_t> found_;  // hashes of names, of the last thousand or so
  std::uint64_t finds_ = 0;
};

}  // namespace troupe

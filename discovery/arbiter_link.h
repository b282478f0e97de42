// SPDX-License-Identifier: Apache-2.0
#pragma once

// One arbiter, as seen by an actor that is registered there, and has registered its children. A
// registration ends with the connection, and is made anew when that was lost: an arbiter that dies
// and comes back knows everybody again within seconds, whoever it is then.

#include <map>
#include <string>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

class Actor;

/// What an actor registers, by uuid.
using Entries = std::map<std::string, DirectoryEntry>;

/// The way to one arbiter. Resource.
class ArbiterLink {
 public:
  /// `arbiter`: where it listens; who it is is learnt. Lifetime: `entries` must outlive the link.
  ArbiterLink(Actor& actor, DirectoryEntry arbiter, const Entries& entries);
  ArbiterLink(const ArbiterLink&) = delete;
  ArbiterLink& operator=(const ArbiterLink&) = delete;

  /// A portal to the arbiter, at which this actor is registered; connects and registers when it is
  /// not. Checkpoint. Throws `TransportClosed` when that cannot be.
  Portal portal();
  /// The parent registers this actor. Never waits.
  void expect_registration() noexcept { entered_by_parent_ = true; }
  /// Registers one entry more, and takes it back if it is no longer among the entries then. Returns
  /// whether that succeeded; if not, all are to be registered anew. Checkpoint.
  bool announce(const DirectoryEntry& entry);
  /// Takes an entry back. Checkpoint. Throws `TransportClosed` when the arbiter cannot be reached.
  void retract(const Uid& uid);
  /// Tries to register until that succeeds, or until `leave`: the body of a task, of which one at
  /// most goes on; others return at once. Checkpoint.
  void register_with_patience();
  /// Registers no more. Never waits.
  void leave() noexcept;
  /// A peer's connection has ended. Returns whether the registration ended with it. Never waits.
  bool peer_gone(const Uid& uid) noexcept;

  /// Whether this actor is registered there, as far as it knows. Never waits.
  bool registered() const noexcept { return registered_ || entered_by_parent_; }
  /// The arbiter, as it was last known.
  const DirectoryEntry& arbiter() const noexcept { return arbiter_; }

 private:
  bool is_known() const noexcept;
  Portal connect();
  void register_at(const Portal& portal);
  void announce_all(const Portal& portal);
  std::string text() const;

  Actor& actor_;
  DirectoryEntry arbiter_;
  const Entries& entries_;
  bool entered_by_parent_ = false;  // and has no registration of its own
  bool registered_ = false;
  bool leaving_ = false;
  bool registering_ = false;  // with patience
  int losses_ = 0;            // how often the connection was lost
  Lock connecting_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One arbiter, as seen by an actor that is registered there. The registration ends with the
// connection, so a task makes it anew when the connection was lost: an arbiter that dies and comes
// back knows everybody again within seconds, whoever it is then.

#include <memory>
#include <optional>
#include <string>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

class Actor;

/// The way to one arbiter. Resource.
class ArbiterLink {
 public:
  /// `arbiter`: where it listens; who it is is learnt.
  ArbiterLink(Actor& actor, DirectoryEntry arbiter);
  ArbiterLink(const ArbiterLink&) = delete;
  ArbiterLink& operator=(const ArbiterLink&) = delete;

  /// A portal to the arbiter, at which this actor is registered; connects and registers when it is
  /// not. Checkpoint. Throws `TransportClosed` when that cannot be.
  Portal portal();
  /// What to register from now on.
  void set_entry(const DirectoryEntry& entry) { entry_ = entry; }
  /// Keeps the registration until cancelled, or until `leave`: the body of a task.
  void keep();
  /// Registers no more. Never waits.
  void leave() noexcept;
  /// A peer's connection has ended. Never waits.
  void peer_gone(const Uid& uid) noexcept;

  /// Whether this actor is registered there, as far as it knows. Never waits.
  bool registered() const noexcept { return registered_; }
  /// The arbiter, as it was last known.
  const DirectoryEntry& arbiter() const noexcept { return arbiter_; }

 private:
  Portal connect();
  void register_at(const Portal& portal);
  void register_with_patience();
  std::string text() const;

  Actor& actor_;
  DirectoryEntry arbiter_;
  std::optional<DirectoryEntry> entry_;
  bool registered_ = false;
  bool leaving_ = false;
  std::shared_ptr<Event> lost_ = std::make_shared<Event>();  // of the present registration
  Lock connecting_;
};

}  // namespace troupe

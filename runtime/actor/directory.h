// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directory of names, as the actor runtime sees it: it announces itself at its start and leaves
// at its end. The package discovery implements it; whoever composes the program hands the two to
// each other.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"

namespace troupe {

class Actor;
class Peer;

/// One actor in a directory.
struct DirectoryEntry {
  Uid uid{};                         ///< Who it is.
  std::vector<Address> addresses{};  ///< Where it listens.
  std::string host{};                ///< On which host, as `this_host` names it; empty: not told.
  std::string parent{};              ///< The uuid of the actor that started it; empty: none did.
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

/// Who is where. What does not say "Never waits" is a checkpoint and throws `TransportClosed` when
/// the directory cannot be reached.
class Directory {
 public:
  virtual ~Directory() = default;
  /// Enters an actor, or renews its entry.
  virtual void announce(const DirectoryEntry& entry) = 0;
  /// Takes this actor out; nothing happens when it is not in.
  virtual void retract(const Uid& uid) = 0;
  /// Every actor of that name, the last first.
  virtual std::vector<DirectoryEntry> find_all(const std::string& name) = 0;
  /// Waits until somebody has that name.
  virtual DirectoryEntry wait_for(const std::string& name) = 0;
  /// An actor does not answer where its entry says. The directory looks for itself, and takes it
  /// out if it is gone. Returns whether the entry is out, or another one.
  virtual bool report_stale(const DirectoryEntry& entry) = 0;
  /// Enters a child of this actor, which is up. When no arbiter can be reached, or none answers
  /// within a second, that is made up for.
  virtual void child_serves(const DirectoryEntry& entry) = 0;
  /// Takes a child of this actor out, which has ended.
  virtual void child_left(const Uid& uid) = 0;
  /// A peer's connection has ended. Never waits.
  virtual void peer_gone(const Uid& uid) noexcept = 0;
  /// The same as `child_left`, unless that was said, as soon as it can be done. Never waits.
  virtual void child_died(const Uid& uid) noexcept = 0;
  /// An arbiter that answers.
  virtual DirectoryEntry arbiter() = 0;
  /// Every arbiter, as it was last known. Never waits.
  virtual std::vector<DirectoryEntry> arbiters() const = 0;
  /// The actor of that name that came last, if this one has found and `remember`ed it, is connected
  /// to it, and is kept told who has the name; else null. Never waits.
  virtual std::shared_ptr<Peer> remembered(const std::string&) { return nullptr; }
  /// An actor of that name was found, and is connected. Never waits.
  virtual void remember(const std::string&, const std::shared_ptr<Peer>&) {}
};

/// Makes the directory of an actor that has just booted.
using DirectoryFactory = std::unique_ptr<Directory> (*)(Actor& actor);

}  // namespace troupe

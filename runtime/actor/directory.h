// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directory of names, as the actor runtime sees it: it announces itself at its start and leaves
// at its end. The package discovery implements it; whoever composes the program hands the two to
// each other.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"

namespace troupe {

class Actor;

/// One actor in a directory.
struct DirectoryEntry {
  Uid uid{};                         ///< Who it is.
  std::vector<Address> addresses{};  ///< Where it listens.
  std::string host{};                ///< On which host, as `this_host` names it; empty: not told.
  std::string parent{};              ///< The uuid of the actor that started it; empty: none did.
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

/// An actor has come or gone. A value.
struct ActorEvent {
  /// What has happened.
  enum class Kind : std::uint8_t { joined, left };

  Kind kind = Kind::joined;  ///< `joined` also says that its addresses are others now.
  DirectoryEntry entry{};    ///< Of the actor.

  /// The actor's name.
  const std::string& name() const noexcept { return entry.uid.name; }
  /// Whether it has come, or has other addresses now; else it has gone.
  bool joined() const noexcept { return kind == Kind::joined; }
  friend bool operator==(const ActorEvent&, const ActorEvent&) = default;
};

/// Where the events of a watch come from.
class ActorEventSource {
 public:
  /// The next one. Checkpoint. Throws `StreamOverrun` when too many have come meanwhile, and what
  /// ended the way to the arbiter.
  virtual ActorEvent next() = 0;

 protected:
  ~ActorEventSource() = default;
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
  /// The actor of that name that came last, if this actor has looked for the name before and is
  /// told since of who has it. Never waits.
  virtual std::optional<DirectoryEntry> cached(const std::string& name) = 0;
  /// Calls `body` with a source of who is in, comes and goes, of the names that begin with
  /// `prefix`.
  virtual void watch(const std::string& prefix,
                     const std::function<void(ActorEventSource&)>& body) = 0;
  /// An actor does not answer where its entry says. The directory looks for itself, and takes it
  /// out if it is gone. Returns whether the entry is out, or another one.
  virtual bool report_stale(const DirectoryEntry& entry) = 0;
  /// A peer's connection has ended. Never waits.
  virtual void peer_gone(const Uid& uid) noexcept = 0;
  /// A child of this actor has died without taking its leave. Never waits.
  virtual void child_died(const Uid& uid) noexcept = 0;
  /// An arbiter that answers.
  virtual DirectoryEntry arbiter() = 0;
  /// Every arbiter, as it was last known. Never waits.
  virtual std::vector<DirectoryEntry> arbiters() const = 0;
};

/// Makes the directory of an actor that has just booted.
using DirectoryFactory = std::unique_ptr<Directory> (*)(Actor& actor);

}  // namespace troupe

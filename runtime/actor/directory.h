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

/// One actor in a directory.
struct DirectoryEntry {
  Uid uid;                         ///< Who it is.
  std::vector<Address> addresses;  ///< Where it listens.
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

/// Who is where. All but `peer_gone` are checkpoints and throw `TransportClosed` when the directory
/// cannot be reached.
class Directory {
 public:
  virtual ~Directory() = default;
  /// Enters an actor, or renews its entry.
  virtual void announce(const DirectoryEntry& entry) = 0;
  /// Takes an actor out; nothing happens when it is not in.
  virtual void retract(const Uid& uid) = 0;
  /// The actor of that name that came last; none when nobody has it.
  virtual std::optional<DirectoryEntry> find(const std::string& name) = 0;
  /// Every actor of that name, the last first.
  virtual std::vector<DirectoryEntry> find_all(const std::string& name) = 0;
  /// Waits until somebody has that name.
  virtual DirectoryEntry wait_for(const std::string& name) = 0;
  /// A peer's connection has ended. Never waits.
  virtual void peer_gone(const Uid& uid) noexcept = 0;
  /// Where the directory is: the arbiter.
  virtual DirectoryEntry arbiter() const = 0;
};

/// Makes the directory of an actor that has just booted.
using DirectoryFactory = std::unique_ptr<Directory> (*)(Actor& actor);

}  // namespace troupe

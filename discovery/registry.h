// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of names: plain data, and the tasks that wait for a name. The arbiter has one.

#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

/// Who has which name. Several actors may share one; the last that came is found first.
class Registry {
 public:
  /// Enters an actor, or renews its addresses, and wakes those who wait for its name.
  void add(const DirectoryEntry& entry);
  /// Takes an actor out; nothing happens when it is not in.
  void remove(const Uid& uid);
  /// The actor of that name that came last.
  std::optional<DirectoryEntry> find(const std::string& name) const;
  /// Every actor of that name, the last first.
  std::vector<DirectoryEntry> find_all(const std::string& name) const;
  /// Waits until somebody has that name; waiters are woken in the order in which they came.
  /// Checkpoint.
  DirectoryEntry wait_for(const std::string& name);
  /// How many actors are in.
  std::size_t size() const noexcept { return names_.size(); }

 private:
  struct Waiter;

  std::unordered_map<std::string, std::list<DirectoryEntry>> entries_;  // by name, the last first
  std::unordered_map<std::string, std::string> names_;                  // by uuid
  std::unordered_map<std::string, ParkingLot> waiters_;                 // by name
};

}  // namespace troupe

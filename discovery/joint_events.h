// SPDX-License-Identifier: Apache-2.0
#pragma once

// What several arbiters tell of the same actors, as one story: who joins at the first of them has
// joined, who has left the last of them has left.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "troupe/discovery/actor_event.h"

namespace troupe {

/// Puts the events of arbiters together. A value.
class JointEvents {
 public:
  /// `arbiters`: how many there are.
  explicit JointEvents(std::size_t arbiters) : several_(arbiters > 1) {}

  /// The arbiter of that number tells something. Returns it if it is new.
  std::optional<ActorEvent> hear(std::size_t arbiter, const ActorEvent& event);
  /// An arbiter tells no more. Returns that those have left whom nobody else tells of.
  std::vector<ActorEvent> lose(std::size_t arbiter);

 private:
  struct Known {
    DirectoryEntry entry;
    std::set<std::size_t> tellers;
  };

  bool several_;  // one alone tells nothing twice, and nothing needs to be kept
  std::unordered_map<std::string, Known> known_;  // by uuid
};

}  // namespace troupe

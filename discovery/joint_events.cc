// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/joint_events.h"

#include <utility>

namespace troupe {

std::optional<ActorEvent> JointEvents::hear(std::size_t arbiter, const ActorEvent& event) {
  if (!several_) return event;
  const std::string& uuid = event.uid().uuid;
  if (event.left()) {
    const auto known = known_.find(uuid);
    if (known == known_.end()) return std::nullopt;
    known->second.tellers.erase(arbiter);
    if (!known->second.tellers.empty()) return std::nullopt;
    known_.erase(known);
    return event;
  }
  Known& known = known_[uuid];
  known.tellers.insert(arbiter);
  if (std::exchange(known.entry, event.entry) == event.entry) return std::nullopt;
  return event;
}

std::vector<ActorEvent> JointEvents::lose(std::size_t arbiter) {
  std::vector<ActorEvent> gone;
  for (auto next = known_.begin(); next != known_.end();) {
    const auto known = next++;
    known->second.tellers.erase(arbiter);
    if (!known->second.tellers.empty()) continue;
    gone.push_back({ActorEvent::Kind::left, std::move(known->second.entry)});
    known_.erase(known);
  }
  return gone;
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which peer's connection is which descriptor. The monitor tells in order which descriptors were
// accepted and which broke; a peer becomes known by its first message, which carries a descriptor
// too, but comes on another way. Descriptors are used again. So each accepted connection has a
// slot, in the order of acceptance, that waits for the peer it belongs to. Private to the package.

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Ties peers to accepted connections.
template <class Peer>
class ConnectionSlots {
 public:
  /// What is known of a peer's connection when it is tied.
  struct Tie {
    bool alive = true;
    bool unsure = false;  ///< Not exactly one connection of the descriptor could be the peer's.
  };

  /// The monitor says: a connection with this descriptor was accepted.
  void accepted(int fd) { slots_[fd].push_back({}); }

  /// The monitor says: it broke. Returns the peer it belongs to, null when that is not known yet.
  Peer* broken(int fd) {
    std::vector<Slot>& slots = slots_[fd];
    if (slots.empty()) slots.push_back({});
    slots.back().alive = false;
    if (slots.back().peer == nullptr) broken_.push_back(fd);
    return slots.back().peer;
  }

  /// A new peer has spoken on this descriptor; the monitor has been read since. The newest
  /// connection without a peer is taken to be its own.
  Tie tie(int fd, Peer& peer) {
    std::vector<Slot>& slots = slots_[fd];
    const auto free = std::count_if(slots.begin(), slots.end(),
                                    [](const Slot& slot) { return slot.peer == nullptr; });
    // None should not be; then it is watched, too.
    if (slots.empty() || slots.back().peer != nullptr) slots.push_back({});
    slots.back().peer = &peer;
    return {slots.back().alive, free != 1};
  }

  /// The peer that was tied on this descriptor is forgotten.
  void untie(int fd, const Peer& peer) {
    const auto found = slots_.find(fd);
    if (found == slots_.end()) return;
    std::erase_if(found->second, [&](const Slot& slot) { return slot.peer == &peer; });
    if (found->second.empty()) slots_.erase(found);
  }

  /// Everything has been read: connections that broke without a word need not be kept.
  void forget_silent() {
    for (const int fd : broken_) {
      const auto found = slots_.find(fd);
      if (found == slots_.end()) continue;
      std::erase_if(found->second,
                    [](const Slot& slot) { return !slot.alive && slot.peer == nullptr; });
      if (found->second.empty()) slots_.erase(found);
    }
    broken_.clear();
  }

  /// How many connections have a slot.
  std::size_t size() const {
    std::size_t count = 0;
    for (const auto& [fd, slots] : slots_) count += slots.size();
    return count;
  }

 private:
  struct Slot {
    Peer* peer = nullptr;
    bool alive = true;
  };

  std::unordered_map<int, std::vector<Slot>> slots_;
  std::vector<int> broken_;  // descriptors of connections that broke with no peer known
};

}  // namespace troupe

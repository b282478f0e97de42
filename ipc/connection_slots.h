// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which peer's connection is which descriptor. The monitor tells, in order, which descriptors'
// connections broke; a peer becomes known by its first message, which carries a descriptor too, but
// comes on another way. Descriptors are used again, so that now and then it is in doubt whose end
// was told. (The monitor could tell of each acceptance as well, which would say more, but wake this
// thread in the middle of every handshake.) Private to the package.

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Ties peers to the descriptors of their connections.
template <class Peer>
class ConnectionSlots {
 public:
  /// A new peer has spoken on this descriptor; the monitor has been read since. Returns whether its
  /// connection may have broken already.
  bool tie(int fd, Peer& peer) {
    Slot& slot = slots_[fd];
    const bool in_doubt = slot.nobodys_ends > 0 || !slot.peers.empty();
    if (slot.nobodys_ends > 0) --slot.nobodys_ends;
    slot.peers.push_back(&peer);
    return in_doubt;
  }

  /// The monitor says: a connection with this descriptor broke. Returns whose that may have been:
  /// nobody's who is known yet, the only one's, or one of several.
  std::vector<Peer*> broken(int fd) {
    Slot& slot = slots_[fd];
    if (slot.peers.empty()) ++slot.nobodys_ends;
    if (slot.peers.size() != 1) return slot.peers;
    std::vector<Peer*> one = std::move(slot.peers);
    slots_.erase(fd);
    return one;
  }

  /// The peer that was tied on this descriptor is forgotten.
  void untie(int fd, const Peer& peer) {
    const auto found = slots_.find(fd);
    if (found == slots_.end()) return;
    if (std::erase(found->second.peers, &peer) > 0 && found->second.empty()) slots_.erase(found);
  }

  /// How many descriptors are remembered.
  std::size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    std::vector<Peer*> peers;      // whose end was not told; more than one only when in doubt
    std::size_t nobodys_ends = 0;  // of connections that broke with no peer known

    bool empty() const { return peers.empty() && nobodys_ends == 0; }
  };

  std::unordered_map<int, Slot> slots_;
};

}  // namespace troupe

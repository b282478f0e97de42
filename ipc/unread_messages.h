// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many messages a peer has not read yet. libzmq stops reading from a connection of which too
// many lie unread (`pipe_messages`), and then hears and answers no heartbeats either: a peer
// between hosts that computes for longer than the liveness time would be taken for dead, as soon as
// much is sent to it. So some messages ask the peer to say that it has read them, and what it has
// not read stays below that number; the rest waits here, and is batched. Private to the package.

#include <algorithm>
#include <cstdint>

namespace troupe {

/// Counts the messages of one connection, in one direction.
class UnreadMessages {
 public:
  /// Whether one more may go out.
  bool may_send() const noexcept { return sent_ - read_ < most; }
  /// One more goes out. Returns the number by which it is to ask, or 0.
  std::uint64_t add() noexcept {
    ++sent_;
    return sent_ % ask_every == 0 ? sent_ : 0;
  }
  /// The peer has read the message of that number, and those before.
  void on_read(std::uint64_t number) noexcept { read_ = std::max(read_, std::min(number, sent_)); }

  /// Messages that may lie unread: together with what is sent beyond (answers to the peer's own
  /// questions), fewer than libzmq holds.
  static constexpr std::uint64_t most = 16;
  /// How often it is asked: often enough that the answer comes while there is room.
  static constexpr std::uint64_t ask_every = 4;

 private:
  std::uint64_t sent_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace troupe

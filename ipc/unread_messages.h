// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much a peer has not read yet. libzmq stops reading from a connection of which too many
// messages lie unread (`remote_pipe_messages`), and then hears and answers no heartbeats either: a
// peer between hosts that computes for longer than the liveness time would be taken for dead, as
// soon as much is sent to it. So some messages ask the peer to say that it has read them, and what
// it has not read stays below that number; the rest waits here, and is batched. Private to the
// package.

#include <cstdint>
#include <deque>

#include "troupe/ipc/limits.h"

namespace troupe {

/// Counts the messages of one connection, in one direction.
class UnreadMessages {
 public:
  /// Whether one more may go out.
  bool may_send() const noexcept {
    return messages_ - read_.message < most_messages && octets_ - read_.octets < most_octets;
  }
  /// One more goes out. Returns the number by which it is to ask, or 0; always 0 unless `may_ask`.
  std::uint64_t add(bool may_ask) {
    ++messages_;
    if (!may_ask || messages_ % ask_every != 0) return 0;
    asked_.push_back({messages_, octets_});
    return messages_;
  }
  /// It has so many octets.
  void add_octets(std::size_t octets) noexcept { octets_ += octets; }
  /// The peer has read the message that has asked by that number, and those before.
  void on_read(std::uint64_t number) noexcept {
    for (; !asked_.empty() && asked_.front().message <= number; asked_.pop_front()) {
      read_ = asked_.front();
    }
  }

  /// Messages that may lie unread: together with what is sent beyond (answers to the peer's own
  /// questions), fewer than libzmq holds; and as many as calls over a long way need that do not
  /// wait for each other.
  static constexpr std::uint64_t most_messages = 128;
  /// How often it is asked: often enough that the answer comes while there is room.
  static constexpr std::uint64_t ask_every = 16;
  /// Octets that may lie unread: so many messages between two questions have at most.
  static constexpr std::uint64_t most_octets = ask_every * max_message_size;

 private:
  // A message, and the octets of those before it.
  struct Place {
    std::uint64_t message = 0;
    std::uint64_t octets = 0;
  };

  std::uint64_t messages_ = 0;
  std::uint64_t octets_ = 0;
  Place read_;
  std::deque<Place> asked_;  // and not answered
};

static_assert(UnreadMessages::most_messages % UnreadMessages::ask_every == 0,
              "the last message that may go out must ask");

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far a peer can make this process grow or wait, and how frames are packed. The defaults fit
// both ends of every connection; the two that a well-behaved sender must respect are told to it in
// the handshake.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe {

/// Limits of one connection.
struct Limits {
  /// Octets of the largest value that is taken from the peer. Told to the peer, which refuses to
  /// send more.
  std::uint64_t max_payload = std::uint64_t{256} << 20;
  /// Octets of all values of one connection that have arrived in part, see `partial_cost`. Senders
  /// begin no more at once than two of the largest have, so it is to be twice `max_payload` at
  /// least.
  std::uint64_t max_partial = std::uint64_t{512} << 20;
  /// Dialogs that the peer may have open. Told to the peer; twice as many are put up with, because
  /// a dialog that its opener has given up lives a little longer at the other end.
  std::uint32_t max_dialogs = 1u << 20;
  /// Octets that wait for the peer to read them, beyond which it may ask for nothing more.
  std::uint64_t max_queued = std::uint64_t{1} << 30;
};

/// What a value of so many octets counts for while it has arrived in part: it takes room of its
/// own.
constexpr std::uint64_t partial_cost(std::uint64_t octets) noexcept { return octets + 256; }

/// How long a peer is waited for.
struct TimeLimits {
  /// Until it has proved who it is, from the attempt to connect on; for both sides.
  std::chrono::milliseconds handshake{10'000};
  /// How long another host may be silent before it is taken for lost; it is asked three times
  /// meanwhile. (On this host the kernel tells.)
  std::chrono::milliseconds liveness{15'000};
};

/// What `liveness` may be.
inline constexpr std::chrono::milliseconds least_liveness{300};
inline constexpr std::chrono::hours most_liveness{1};

/// Payloads up to this travel as they are, many to a message. Larger ones are moved rather than
/// copied on their way, and cut into pieces.
inline constexpr std::size_t max_small_payload = 64 * 1024;

/// The size of a piece: other frames can pass between two of them, and libzmq moves one with few
/// system calls.
inline constexpr std::size_t piece_size = 256 * 1024;

/// Octets of the largest transport message: two lanes and one piece, each with room to spare for
/// headers. A larger one ends the connection before it is read.
inline constexpr std::size_t max_message_size = 2 * piece_size;

/// Octets of the largest message that is looked at before the peer has proved who it is.
inline constexpr std::size_t max_handshake_size = 4 * 1024;

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The caller's end of a call: one dialog that begins with `start` and ends with exactly one `ret`
// or `error`, or with the connection. Cancelling the caller's scope sends `cancel` and waits, for a
// bounded time, until the remote task has ended.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/credit.h"

namespace troupe {

class DialogPort;
class Peer;

/// What a call asks for, as it travels in the `start` frame.
struct CallRequest {
  /// How the function is named.
  enum class By : std::uint8_t { id, name };

  By by = By::id;
  std::uint64_t id = 0;     ///< By id: `function_id`.
  std::string path{};       ///< By name: "module.fn".
  std::string signature{};  ///< By name: what the caller believes the signature to be.
  std::optional<detail::Window> window{};  ///< Streams and contexts: what the callee may send.
  BytesView arguments{};                   ///< The encoded arguments; borrowed.

  /// Appends everything but the arguments, which follow.
  void encode_head(Bytes& out) const;
  /// Reads a request; `arguments` is what is left. Throws `Error` when it is none.
  static CallRequest decode(BytesView payload);
};

namespace detail {

/// Makes a call to `peer` and returns the encoded result. `start` is a request with its arguments,
/// `what` names the function in messages. Checkpoint. Throws what the remote function threw as
/// `RemoteActorError`, the runtime's own verdicts as themselves, and `ActorDied` or
/// `TransportClosed` when the peer is gone.
Bytes call(Peer& peer, Bytes start, std::string_view what);

/// As above, over a connection that stands. `peer` (may be null) tells what became of the peer.
Bytes call_over(DialogPort& port, Bytes start, std::string_view what,
                std::chrono::nanoseconds cancel_grace, Peer* peer = nullptr);

/// The connection to `peer`. Checkpoint. Throws what became of it: `ActorDied`, `TransportClosed`.
std::shared_ptr<DialogPort> connect(Peer& peer);

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The caller's end of a call: one dialog that begins with `start` and ends with exactly one `ret`
// or `error`, or with the connection. Cancelling the caller's scope sends `cancel` and waits, for a
// bounded time, until the remote task has ended.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/credit.h"
#include "troupe/runtime/rpc/opener_end.h"

namespace troupe {

class DialogPort;
class Peer;

/// What a call asks for, as it travels in the `start` frame.
struct CallRequest {
  /// How the function is named.
  enum class By : std::uint8_t { id, name };

  By by = By::id;           ///< Which of the fields below name it.
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

/// One call of a plain function. Resource; lives on the caller's stack.
class PlainCall {
 public:
  /// Connects to `peer` and opens the dialog; `what` names the function in messages. Checkpoint.
  /// Throws `ActorDied` or `TransportClosed` when the peer is gone. Lifetime: both must outlive it.
  PlainCall(Peer& peer, std::string_view what);
  PlainCall(const PlainCall&) = delete;
  PlainCall& operator=(const PlainCall&) = delete;
  ~PlainCall();

  /// Sends the request, which may be moved from. Never waits.
  void start(Bytes& request) { end_->start(request); }
  /// Waits for the encoded result. Checkpoint; a cancelled call is waited for until it has ended
  /// over there. Throws what the remote function threw as `RemoteActorError`, the runtime's own
  /// verdicts as themselves, and `ActorDied` or `TransportClosed` when the peer is gone.
  Bytes& wait();

 private:
  Peer& peer_;
  std::shared_ptr<DialogPort> port_;
  std::optional<OpenerEnd> end_;
};

/// The connection to `peer`. Checkpoint. Throws what became of it: `ActorDied`, `TransportClosed`.
std::shared_ptr<DialogPort> connect(Peer& peer);

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one error of this package that travels up: the connection to a peer is not there (any more).

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "troupe/runtime/base/error.h"

namespace troupe {

/// There is no connection to the peer: it could not be made, or it has ended. The message names the
/// peer, how it ended and what to do. Every dialog that was open gets it once.
class TransportClosed : public Error {
 public:
  /// How a connection came to its end.
  enum class Reason : std::uint8_t {
    unreachable,  ///< It never stood: nobody listens there, or nobody answers.
    refused,      ///< The peer refused us, and said why.
    violation,    ///< The peer broke the protocol, or could not prove that it holds the key.
    left,         ///< The peer said good-bye, or we did, in order.
    lost,         ///< The connection broke without a word: the peer died or the network did.
    shut_down,    ///< This process closed its transport.
    in_use,       ///< Somebody else listens at the address that was to be listened at.
  };

  /// `peer` is the uuid of who was at the other end, when that was known.
  TransportClosed(Reason reason, const std::string& message, std::string peer = {})
      : Error(message), reason_(reason) {
    if (peer.empty()) return;
    // All that waited for an actor which has ended tell of that end.
    if (reason == Reason::left || reason == Reason::lost) {
      set_origin(detail::by_hearsay(detail::origin_of_end(peer)));
    }
    peer_ = std::make_shared<const std::string>(std::move(peer));
  }

  /// How it came to its end.
  Reason reason() const noexcept { return reason_; }
  /// The uuid of the incarnation that was at the other end; empty when it was never known.
  std::string peer_uuid() const { return peer_ == nullptr ? std::string() : *peer_; }

 private:
  Reason reason_;
  std::shared_ptr<const std::string> peer_;  // shared by the copies that exceptions are made of
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one error of this package that travels up: the connection to a peer is not there (any more).

#include <cstdint>
#include <string>

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

  TransportClosed(Reason reason, const std::string& message) : Error(message), reason_(reason) {}

  /// How it came to its end.
  Reason reason() const noexcept { return reason_; }

 private:
  Reason reason_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the two ends of a connection tell each other first, as values and as octets. Only the form
// is checked here; what it is worth is judged by `Session`. Private to the package.

#include <cstdint>
#include <string>

#include "troupe/ipc/auth.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/bytes.h"

namespace troupe {

/// The protocol versions that one end speaks, both included.
struct VersionRange {
  std::uint16_t min = 1;
  std::uint16_t max = 1;
};

/// What each end tells of itself.
struct EndInfo {
  Uid uid;
  std::string address;            ///< Where it listens; empty when nowhere.
  std::string build_id;           ///< Which program it runs.
  std::uint32_t pid = 0;          ///< Its process.
  std::uint64_t max_payload = 0;  ///< Octets of the largest value it takes.
  std::uint32_t max_dialogs = 0;  ///< Dialogs that it lets the other end open.
};

/// The connector's first frame.
struct Hello {
  VersionRange versions;
  Fingerprint key{};  ///< Of the key that the connector holds.
  Nonce nonce{};
  std::string dialed;  ///< The address that it connected to.
  EndInfo self;
};

/// The acceptor's answer; its proof follows it.
struct Welcome {
  std::uint16_t version = 0;  ///< The version that is spoken from now on.
  Nonce nonce{};
  EndInfo self;
};

/// A hello's octets.
Bytes encode_hello(const Hello& hello);
/// The octets of a welcome, without the proof that the sender appends.
Bytes encode_welcome(const Welcome& welcome);

/// Reads magic and versions only: all that is sure to have this form in every version. Throws
/// `ProtocolViolation` when it does not come from a troupe program at all.
VersionRange parse_hello_versions(BytesView octets);
/// Reads a whole hello. Throws `ProtocolViolation`.
Hello parse_hello(BytesView octets);
/// Reads a welcome without its proof. Throws `ProtocolViolation`.
Welcome parse_welcome(BytesView octets);

}  // namespace troupe

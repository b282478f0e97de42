// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who may talk: only a peer that proves that it holds the same key, by a keyed hash over everything
// that both sides have said so far. The key itself never leaves the process this way, and the
// acceptor proves first, because anyone may have bound the address before it.

#include <array>
#include <cstdint>
#include <string>

#include "troupe/runtime/base/bytes.h"

namespace troupe {

/// A secret of 32 octets that all actors of a tree or cluster share. A value; its octets are wiped
/// on destruction.
class Key {
 public:
  static constexpr std::size_t size = 32;

  /// A fresh random key.
  static Key random();
  /// The key with these octets. Throws `UsageError` unless there are exactly `size` of them.
  static Key from_bytes(BytesView octets);
  /// The key that belongs to a secret of any length: what stands in a key file, say.
  static Key from_secret(BytesView secret);

  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();

  /// The secret octets: for handing to a child through an inherited descriptor, never for a log,
  /// argument or variable.
  BytesView bytes() const noexcept;

  friend bool operator==(const Key& a, const Key& b) noexcept;

 private:
  Key() = default;
  std::array<char, size> octets_{};
};

/// Octets that were never said before.
using Nonce = std::array<char, 32>;
/// A keyed hash.
using Proof = std::array<char, 32>;
/// What may be told of a key: it distinguishes keys and does not help to find one. All zero means
/// "no key".
using Fingerprint = std::array<char, 8>;

/// Starts libsodium; what needs it does so by itself. Does nothing the second time. Throws `Error`
/// where the system gives no random octets.
void start_sodium();

/// A fresh nonce.
Nonce random_nonce();

/// The fingerprint of `key`; all zero for null.
Fingerprint fingerprint(const Key* key);

/// The side of the handshake that a proof speaks for.
enum class Prover : std::uint8_t { acceptor = 1, connector = 2 };

/// The proof that `prover` holds `key`, bound to what was said: the connector's hello, and the
/// acceptor's welcome without its proof.
Proof prove(const Key& key, Prover prover, BytesView hello, BytesView welcome);

/// Whether `octets` are `expected`, in constant time.
bool proof_matches(const Proof& expected, BytesView octets) noexcept;

/// A fixed array as octets.
template <std::size_t n>
BytesView as_bytes(const std::array<char, n>& octets) noexcept {
  return {octets.data(), n};
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/auth.h"

#include <sodium.h>

#include <cstring>

#include "troupe/runtime/base/error.h"

namespace troupe {

void start_sodium() {
  static const int started = sodium_init();
  if (started < 0) throw Error("libsodium does not start: the system gives no random octets");
}

namespace {

const unsigned char* raw(BytesView octets) noexcept {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

// Each part is preceded by its length, so that no two lists of parts hash alike.
void add(crypto_generichash_state& state, BytesView part) {
  Bytes length;
  put_u64(length, part.size());
  crypto_generichash_update(&state, raw(length), length.size());
  crypto_generichash_update(&state, raw(part), part.size());
}

template <std::size_t n>
std::array<char, n> keyed_hash(const Key& key, std::initializer_list<BytesView> parts) {
  start_sodium();
  static_assert(n <= crypto_generichash_BYTES_MAX);
  std::array<char, n> hash;
  crypto_generichash_state state;
  // 16 is the least size the library gives; a shorter hash is a prefix.
  std::array < unsigned char, n<16 ? 16 : n> full;
  crypto_generichash_init(&state, raw(key.bytes()), Key::size, full.size());
  for (const BytesView part : parts) add(state, part);
  crypto_generichash_final(&state, full.data(), full.size());
  std::memcpy(hash.data(), full.data(), n);
  sodium_memzero(&state, sizeof state);
  return hash;
}

}  // namespace

Key Key::random() {
  start_sodium();
  Key key;
  randombytes_buf(key.octets_.data(), size);
  return key;
}

Key Key::from_bytes(BytesView octets) {
  if (octets.size() != size) {
    throw UsageError("a key has exactly " + std::to_string(size) + " octets, not " +
                     std::to_string(octets.size()));
  }
  Key key;
  std::memcpy(key.octets_.data(), octets.data(), size);
  return key;
}

Key Key::from_secret(BytesView secret) {
  start_sodium();
  Key key;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, size);
  for (const BytesView part : {BytesView("troupe key"), secret}) add(state, part);
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(key.octets_.data()), size);
  sodium_memzero(&state, sizeof state);
  return key;
}

Key::~Key() { sodium_memzero(octets_.data(), size); }

BytesView Key::bytes() const noexcept { return as_bytes(octets_); }

bool operator==(const Key& a, const Key& b) noexcept {
  return sodium_memcmp(a.octets_.data(), b.octets_.data(), Key::size) == 0;
}

Nonce random_nonce() {
  start_sodium();
  Nonce nonce;
  randombytes_buf(nonce.data(), nonce.size());
  return nonce;
}

Fingerprint fingerprint(const Key* key) {
  if (key == nullptr) return {};
  return keyed_hash<std::tuple_size_v<Fingerprint>>(*key, {"troupe key fingerprint"});
}

Proof prove(const Key& key, Prover prover, BytesView hello, BytesView welcome) {
  const char role = static_cast<char>(prover);
  return keyed_hash<std::tuple_size_v<Proof>>(key, {"troupe proof", {&role, 1}, hello, welcome});
}

bool proof_matches(const Proof& expected, BytesView octets) noexcept {
  return octets.size() == expected.size() &&
         sodium_memcmp(expected.data(), octets.data(), expected.size()) == 0;
}

}  // namespace troupe

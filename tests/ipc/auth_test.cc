// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/auth.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

TEST(AuthTest, KeysTravelAsTheirOctets) {
  const Key key = Key::random();
  EXPECT_EQ(Key::from_bytes(key.bytes()), key);
  EXPECT_FALSE(Key::random() == key);
}

TEST(AuthTest, AKeyOfAnotherSizeIsAUsageError) {
  EXPECT_THROW(Key::from_bytes("short"), UsageError);
  EXPECT_THROW(Key::from_bytes(Bytes(33, 'x')), UsageError);
}

TEST(AuthTest, KeysAreWipedOnDestruction) {
  alignas(Key) unsigned char memory[sizeof(Key)];
  Key* key = ::new (memory) Key(Key::from_bytes(Bytes(Key::size, 'x')));
  key->~Key();
  const volatile unsigned char* octets = memory;
  for (std::size_t i = 0; i < sizeof(Key); ++i) EXPECT_EQ(octets[i], 0);
}

TEST(AuthTest, AProofDependsOnKeyRoleAndEverythingSaid) {
  const Key key = Key::from_bytes(Bytes(Key::size, 'k'));
  const Proof proof = prove(key, Prover::acceptor, "hello", "welcome");
  EXPECT_TRUE(proof_matches(prove(key, Prover::acceptor, "hello", "welcome"), as_bytes(proof)));
  EXPECT_NE(proof,
            prove(Key::from_bytes(Bytes(Key::size, 'l')), Prover::acceptor, "hello", "welcome"));
  EXPECT_NE(proof, prove(key, Prover::connector, "hello", "welcome"));
  EXPECT_NE(proof, prove(key, Prover::acceptor, "hello!", "welcome"));
  EXPECT_NE(proof, prove(key, Prover::acceptor, "hello", "welcome!"));
  EXPECT_NE(proof, prove(key, Prover::acceptor, "hellow", "elcome"))
      << "parts must not run together";
}

TEST(AuthTest, ProofsOfAnotherSizeNeverMatch) {
  const Proof proof = prove(Key::random(), Prover::acceptor, "", "");
  EXPECT_FALSE(proof_matches(proof, ""));
  EXPECT_FALSE(proof_matches(proof, as_bytes(proof).substr(1)));
}

TEST(AuthTest, FingerprintsTellKeysApart) {
  const Key a = Key::from_bytes(Bytes(Key::size, 'a'));
  const Key b = Key::from_bytes(Bytes(Key::size, 'b'));
  EXPECT_EQ(fingerprint(&a), fingerprint(&a));
  EXPECT_NE(fingerprint(&a), fingerprint(&b));
  EXPECT_EQ(fingerprint(nullptr), Fingerprint{});
}

TEST(AuthTest, NoncesDiffer) { EXPECT_NE(random_nonce(), random_nonce()); }

}  // namespace
}  // namespace troupe

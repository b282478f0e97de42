// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/base/bytes.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(ByteReaderTest, ReadsWhatWasPut) {
  Bytes octets;
  put_u8(octets, 1);
  put_u16(octets, 0x0203);
  put_u32(octets, 0x04050607);
  put_u64(octets, 0x08090a0b0c0d0e0f);
  put_string(octets, "text");
  ByteReader reader(octets);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607u);
  EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.string(4), "text");
  EXPECT_EQ(reader.left(), 0u);
}

TEST(ByteReaderTest, IntegersAreLittleEndian) {
  Bytes octets;
  put_u32(octets, 0x01020304);
  EXPECT_EQ(octets, "\x04\x03\x02\x01");
}

TEST(ByteReaderTest, NeverReadsPastTheEnd) {
  ByteReader reader("abc");
  EXPECT_THROW(reader.u32(), ShortRead);
  EXPECT_EQ(reader.left(), 3u);
}

TEST(ByteReaderTest, RefusesStringsOverTheLimitBeforeReadingThem) {
  Bytes octets;
  put_u32(octets, 0xffffffff);
  ByteReader reader(octets);
  EXPECT_THROW(reader.string(1024), ShortRead);
}

}  // namespace
}  // namespace troupe

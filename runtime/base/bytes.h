// SPDX-License-Identifier: Apache-2.0
#pragma once

// Octets and their little-endian encoding. `Bytes` owns, `BytesView` borrows; neither is text.
// `ByteReader` never reads past the end, so a parser built on it needs no length checks of its own.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "troupe/runtime/base/error.h"

namespace troupe {

static_assert(std::endian::native == std::endian::little,
              "troupe's wire format is the memory format: little-endian");

/// Owned octets.
using Bytes = std::string;

/// Borrowed octets; valid while their owner is.
using BytesView = std::string_view;

/// A reader met the end of its octets too early.
class ShortRead : public Error {
 public:
  using Error::Error;
};

/// Appends `value` to `out` in little-endian order.
template <class Integer>
requires std::is_integral_v<Integer>
void put_integer(Bytes& out, Integer value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}

/// Appends one octet.
inline void put_u8(Bytes& out, std::uint8_t value) { put_integer(out, value); }
/// Appends two octets, little-endian.
inline void put_u16(Bytes& out, std::uint16_t value) { put_integer(out, value); }
/// Appends four octets, little-endian.
inline void put_u32(Bytes& out, std::uint32_t value) { put_integer(out, value); }
/// Appends eight octets, little-endian.
inline void put_u64(Bytes& out, std::uint64_t value) { put_integer(out, value); }

/// Appends a length (four octets) and then the octets themselves.
inline void put_string(Bytes& out, BytesView octets) {
  put_u32(out, static_cast<std::uint32_t>(octets.size()));
  out.append(octets);
}

/// Reads integers and strings from borrowed octets, front to back. Throws `ShortRead` rather than
/// pass the end.
class ByteReader {
 public:
  /// Lifetime: `octets` must outlive the reader and every view taken from it.
  explicit ByteReader(BytesView octets) : rest_(octets) {}

  /// Reads one octet.
  std::uint8_t u8() { return integer<std::uint8_t>(); }
  /// Reads two octets, little-endian.
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  /// Reads four octets, little-endian.
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  /// Reads eight octets, little-endian.
  std::uint64_t u64() { return integer<std::uint64_t>(); }

  /// Takes the next `count` octets, borrowed.
  BytesView take(std::size_t count) {
    if (count > rest_.size()) {
      throw ShortRead("expected " + std::to_string(count) + " more octets, but only " +
                      std::to_string(rest_.size()) +
                      " are left: the message is truncated or its length field is wrong");
    }
    const BytesView taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// Reads what `put_string` wrote; a length over `max` is refused before anything is allocated.
  Bytes string(std::size_t max) {
    const std::size_t length = u32();
    if (length > max) {
      throw ShortRead("a string of " + std::to_string(length) + " octets, where at most " +
                      std::to_string(max) + " are allowed");
    }
    return Bytes(take(length));
  }

  /// Everything that is left, without taking it.
  BytesView rest() const { return rest_; }
  /// How many octets are left.
  std::size_t left() const { return rest_.size(); }

 private:
  template <class Integer>
  Integer integer() {
    Integer value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  BytesView rest_;
};

}  // namespace troupe

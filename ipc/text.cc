// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/text.h"

#include <cstdint>

namespace troupe {

namespace {

// The length of the well-formed UTF-8 sequence at the front of `octets`, or 0.
std::size_t sequence_length(std::string_view octets) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || octets.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && at(1) < 0xa0) return 0;   // overlong
  if (lead == 0xed && at(1) >= 0xa0) return 0;  // surrogate
  if (lead == 0xf0 && at(1) < 0x90) return 0;   // overlong
  if (lead == 0xf4 && at(1) >= 0x90) return 0;  // beyond the last code point
  return length;
}

}  // namespace

bool is_utf8(std::string_view octets) noexcept {
  while (!octets.empty()) {
    const std::size_t length = sequence_length(octets);
    if (length == 0) return false;
    octets.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view octets, std::size_t max) {
  std::string text;
  while (!octets.empty() && text.size() < max) {
    const std::size_t length = sequence_length(octets);
    const auto lead = static_cast<unsigned char>(octets[0]);
    // U+0080 to U+009F are control characters too.
    const bool control =
        lead < 0x20 || lead == 0x7f ||
        (lead == 0xc2 && length == 2 && static_cast<unsigned char>(octets[1]) < 0xa0);
    if (length == 0 || control) {
      text += '?';
    } else {
      text += octets.substr(0, length);
    }
    octets.remove_prefix(length == 0 ? 1 : length);
  }
  return octets.empty() ? text : text + "...";
}

std::string to_hex(std::string_view octets) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * octets.size());
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    text += digits[octet >> 4];
    text += digits[octet & 15];
  }
  return text;
}

}  // namespace troupe

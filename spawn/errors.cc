// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/errors.h"

#include <cstring>

namespace troupe::detail {

namespace {

constexpr std::size_t longest_shown_name = 80;

void append_escaped(std::string& out, char c) {
  static constexpr char digits[] = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(c);
  if (octet >= 0x20 && octet != 0x7f) {  // bytes of UTF-8 sequences pass
    out += c;
    return;
  }
  out += "\\x";
  out += digits[octet >> 4];
  out += digits[octet & 0xf];
}

}  // namespace

std::string errno_text(int error) {
  const char* description = ::strerrordesc_np(error);
  const char* name = ::strerrorname_np(error);
  if (description == nullptr || name == nullptr) return "error " + std::to_string(error);
  return std::string(description) + " (" + name + ")";
}

std::string quoted_name(std::string_view name) {
  std::string out = "`";
  for (char c : name.substr(0, longest_shown_name)) append_escaped(out, c);
  out += name.size() > longest_shown_name ? "...`" : "`";
  return out;
}

std::string stderr_part(std::string_view tail) {
  if (tail.empty()) return "";
  return "; the last it wrote to stderr:\n" + std::string(tail);
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last lines of a stream of text, in bounded memory.

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::detail {

/// Keeps the last 20 lines of what is added, 8 KiB at most. Value.
class TextTail {
 public:
  static constexpr std::size_t max_lines = 20;
  static constexpr std::size_t max_octets = 8 * 1024;

  /// Takes octets, cut anywhere.
  void add(std::string_view octets);
  /// The last lines, without the last line's end. NUL octets, which would end a message, are '?'.
  std::string text() const;

 private:
  std::string kept_;  // never longer than twice the maximum, so that octets are seldom moved
};

}  // namespace troupe::detail

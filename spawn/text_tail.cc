// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/text_tail.h"

#include <algorithm>

namespace troupe::detail {

namespace {

std::string_view last_octets(std::string_view text) {
  if (text.size() > TextTail::max_octets) text.remove_prefix(text.size() - TextTail::max_octets);
  return text;
}

std::string_view last_lines(std::string_view text) {
  std::size_t begin = text.size();
  for (std::size_t lines = 0; lines < TextTail::max_lines; ++lines) {
    if (begin == 0) return text;
    begin = text.rfind('\n', begin - 1);
    if (begin == std::string_view::npos) return text;
  }
  return text.substr(begin + 1);
}

}  // namespace

void TextTail::add(std::string_view octets) {
  kept_ += last_octets(octets);
  if (kept_.size() > 2 * max_octets) kept_.erase(0, kept_.size() - max_octets);
}

std::string TextTail::text() const {
  std::string_view text = kept_;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string result(last_lines(last_octets(text)));
  std::replace(result.begin(), result.end(), '\0', '?');
  return result;
}

}  // namespace troupe::detail

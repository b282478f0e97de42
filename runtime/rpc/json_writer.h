// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes JSON text, piece by piece, for reports that programs read. Nothing here reads JSON.

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// JSON under construction, on one line. An empty key stands for none: the value is a member of a
/// list, or the outermost one. The caller opens and closes what belongs together.
class JsonWriter {
 public:
  /// Begins an object ('{') or a list ('[').
  void open(std::string_view key, char bracket);
  /// Ends it: '}' or ']'.
  void close(char bracket);
  /// A text. What is no UTF-8 in it becomes question marks.
  void put(std::string_view key, std::string_view text);
  /// A number, to three decimals.
  void put_decimal(std::string_view key, double number);
  /// A number.
  void put(std::string_view key, std::int64_t number);

  /// What was written so far.
  const std::string& text() const noexcept { return text_; }

 private:
  void begin_value(std::string_view key);
  void add_string(std::string_view text);

  std::string text_;
  bool first_ = true;  // nothing stands before the next value in its list or object
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/json_writer.h"

#include <cstdio>

#include "troupe/ipc/text.h"

namespace troupe {

void JsonWriter::begin_value(std::string_view key) {
  if (!first_) text_ += ",";
  first_ = false;
  if (key.empty()) return;
  add_string(key);
  text_ += ":";
}

void JsonWriter::open(std::string_view key, char bracket) {
  begin_value(key);
  text_ += bracket;
  first_ = true;
}

void JsonWriter::close(char bracket) {
  text_ += bracket;
  first_ = false;
}

void JsonWriter::put(std::string_view key, std::string_view text) {
  begin_value(key);
  add_string(text);
}

void JsonWriter::put(std::string_view key, std::int64_t number) {
  begin_value(key);
  text_ += std::to_string(number);
}

void JsonWriter::put_decimal(std::string_view key, double number) {
  begin_value(key);
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", number);
  text_ += text;
}

void JsonWriter::add_string(std::string_view text) {
  const std::string readable = is_utf8(text) ? std::string(text) : printable(text, text.size());
  text_ += '"';
  for (const char c : readable) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (octet < 0x20) {
      text_ += "\\u00" + to_hex({&c, 1});
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace troupe

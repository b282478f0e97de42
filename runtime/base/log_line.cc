// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log_line.h"

#include <array>
#include <cstdio>
#include <ostream>
#include <streambuf>
#include <utility>

namespace troupe::detail {
namespace {

// Appends what is written to it to a string, at once.
class StringAppender final : public std::streambuf {
 public:
  explicit StringAppender(std::string& to) : to_(to) {}

 private:
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) to_ += traits_type::to_char_type(c);
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    to_.append(text, static_cast<std::size_t>(size));
    return size;
  }

  std::string& to_;
};

struct Unit {
  long long num;
  long long den;
  const char* name;
};
constexpr std::array units{
    Unit{1, 1'000'000'000, "ns"}, Unit{1, 1'000'000, "us"}, Unit{1, 1'000, "ms"}, Unit{1, 1, "s"},
    Unit{60, 1, "min"},           Unit{3600, 1, "h"},       Unit{86400, 1, "d"}};

}  // namespace

struct LogLine::Streamed {
  explicit Streamed(std::string& to) : buffer(to), stream(&buffer) {}

  StringAppender buffer;
  std::ostream stream;
};

LogLine::LogLine() = default;

LogLine::~LogLine() = default;

std::string LogLine::take() { return std::exchange(text_, {}); }

void LogLine::add_text(std::string_view text) { text_ += text; }

void LogLine::add_c_string(const char* text) { text_ += text == nullptr ? "(null)" : text; }

void LogLine::add_signed(long long number) { text_ += std::to_string(number); }

void LogLine::add_unsigned(unsigned long long number) { text_ += std::to_string(number); }

void LogLine::add_floating(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%g", number);
  text_ += text;
}

void LogLine::add_pointer(const volatile void* address) {
  char text[64];
  std::snprintf(text, sizeof text, "%p", const_cast<const void*>(address));
  text_ += text;
}

void LogLine::add_unit(long long num, long long den) {
  for (const Unit& unit : units) {
    if (unit.num == num && unit.den == den) {
      text_ += unit.name;
      return;
    }
  }
  text_ += "[" + std::to_string(num) + (den == 1 ? "" : "/" + std::to_string(den)) + "]s";
}

std::ostream& LogLine::stream() {
  if (!streamed_) streamed_ = std::make_unique<Streamed>(text_);
  return streamed_->stream;
}

}  // namespace troupe::detail

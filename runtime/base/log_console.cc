// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log_console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "troupe/runtime/base/write_all.h"

namespace troupe {
namespace {

constexpr const char* colour_off = "\033[0m";

const char* colour_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "\033[36m";  // cyan
    case LogLevel::runtime:
      return "\033[34m";  // blue
    case LogLevel::transport:
      return "\033[35m";  // magenta
    case LogLevel::cancel:
      return "\033[33m";  // yellow
    case LogLevel::info:
      return "\033[32m";  // green
    case LogLevel::warning:
      return "\033[1;33m";  // bold yellow
    default:
      return "\033[1;31m";  // bold red
  }
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool stderr_takes_colours() {
  static const bool answer =
      !is_set("NO_COLOR") && (is_set("FORCE_COLOR") || ::isatty(STDERR_FILENO) == 1);
  return answer;
}

// "23:40:00.123456" in local time: enough to put the lines of several actors into order.
std::string clock_text(std::chrono::system_clock::time_point time) {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto since = duration_cast<microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(since / 1'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%06d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(since % 1'000'000));
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

std::string format_log_line(const LogRecord& record, bool coloured) {
  constexpr std::size_t longest_level = 9;
  std::string line = clock_text(record.time) + " ";
  if (coloured) line += colour_of(record.level);
  line += padded(to_string(record.level), longest_level);
  if (coloured) line += colour_off;
  line += ' ';
  line += or_dash(record.actor);
  line += "[" + std::to_string(record.pid) + "] ";
  line += or_dash(record.task);
  line += " | " + record.component + ": " + record.text + "\n";
  return line;
}

void write_log_line(const LogRecord& record) {
  const std::string line = format_log_line(record, stderr_takes_colours());
  // A pipe takes up to 4 KiB as one piece, a file or terminal any size; what is left over after
  // that is better written late than not at all. A closed stderr loses it, rightly.
  write_all(STDERR_FILENO, line);
}

}  // namespace troupe

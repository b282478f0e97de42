// SPDX-License-Identifier: Apache-2.0
#pragma once

// Log lines out of parts, put together only when their level is on. Numbers and texts need no
// stream; whatever else can be streamed is, and only then a stream is made. Programs reach this
// through logger.h, so it has to stay cheap: no header of streams here.

#include <chrono>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "troupe/runtime/base/log.h"

namespace troupe {
namespace detail {

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

/// Collects text.
class LogLine {
 public:
  LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;
  ~LogLine();

  /// What was collected; nothing is left.
  std::string take();

  /// Appends a part as a stream would, but `true` for a bool, a number for a signed or unsigned
  /// char, and a duration with its unit.
  template <class T>
  void add(const T& part) {
    if constexpr (std::is_convertible_v<const T&, const char*>) {
      add_c_string(part);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      add_text(part);
    } else if constexpr (std::is_same_v<T, bool>) {
      add_text(part ? "true" : "false");
    } else if constexpr (std::is_same_v<T, char>) {
      add_text({&part, 1});
    } else if constexpr (std::is_integral_v<T> && std::is_unsigned_v<T>) {
      add_unsigned(part);
    } else if constexpr (std::is_integral_v<T>) {
      add_signed(part);
    } else if constexpr (std::is_floating_point_v<T>) {
      add_floating(static_cast<double>(part));
    } else if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>) {
      add_pointer(part);
    } else if constexpr (is_duration<T>) {
      add(part.count());
      add_unit(T::period::num, T::period::den);
    } else {
      constexpr bool can_be_streamed = requires(std::ostream & out, const T& value) {
        out << value;
      };
      static_assert(can_be_streamed,
                    "a part of this log line cannot be streamed: include <ostream>, and give its "
                    "type an operator<<(std::ostream&, const T&)");
      if constexpr (can_be_streamed) stream() << part;
    }
  }

 private:
  struct Streamed;

  void add_text(std::string_view text);
  void add_c_string(const char* text);
  void add_signed(long long number);
  void add_unsigned(unsigned long long number);
  void add_floating(double number);
  void add_pointer(const volatile void* address);
  void add_unit(long long num, long long den);
  std::ostream& stream();

  std::string text_;
  std::unique_ptr<Streamed> streamed_;
};

}  // namespace detail

/// Logs one line made of `parts`, which are not looked at while the level is off. Never waits.
/// Threads: any.
template <class... Parts>
void log_line(LogLevel level, std::string_view component, const Parts&... parts) {
  if (!log_enabled(level, component)) return;
  detail::LogLine line;
  (line.add(parts), ...);
  log_message(level, component, line.take());
}

}  // namespace troupe

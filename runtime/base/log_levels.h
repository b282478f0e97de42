// SPDX-License-Identifier: Apache-2.0
#pragma once

// What of the log is written: one level for everything, and others for single components, as in
// "warning,ipc:trace". Asking whether a line is on costs one atomic load while nothing is as fine.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// How much a record matters, from the finest to the gravest. `off` is no record's level: as a
/// threshold it lets nothing through.
enum class LogLevel { trace, runtime, transport, cancel, info, warning, error, off };

/// The name of a level: "warning".
const char* to_string(LogLevel level) noexcept;

/// Which records are written. A value.
class LogLevels {
 public:
  /// `level` for everything. `warning` is what a program has that asks for nothing.
  explicit LogLevels(LogLevel level = LogLevel::warning) : everywhere_(level) {}

  /// Reads "info", "ipc:trace,spawn:info" (the rest stays at warning) or "info,ipc:trace". Throws
  /// `UsageError` for anything else.
  static LogLevels parse(std::string_view text);
  /// What `parse` reads.
  std::string text() const;

  /// The finest level that any component has.
  LogLevel lowest() const noexcept;
  /// The level of a component: its own, else that of the longest name that it lies below ("net" for
  /// "net.http"), else the common one.
  LogLevel of(std::string_view component) const noexcept;

  friend bool operator==(const LogLevels&, const LogLevels&) = default;

 private:
  void set(std::string_view name, LogLevel level);

  LogLevel everywhere_;
  std::vector<std::pair<std::string, LogLevel>> parts_;
};

/// Sets what is written in this process from now on. Threads: any.
void set_log_levels(const LogLevels& levels);
/// The same, one level for everything.
void set_log_level(LogLevel level);
/// What is written in this process.
LogLevels log_levels();

/// Whether a record of this level would be written; of a component, or of one that nothing is said
/// about. Never waits. Threads: any.
bool log_enabled(LogLevel level, std::string_view component = {}) noexcept;

/// The name under which a component is known: without the "troupe." that all of the library's would
/// have in front.
std::string_view log_component(std::string_view name) noexcept;

}  // namespace troupe

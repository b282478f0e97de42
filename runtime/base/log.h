// SPDX-License-Identifier: Apache-2.0
#pragma once

// The logging seam: what the layers below say, and where it goes. Nothing here waits or allocates
// while a level is off. The default sink writes warnings and errors to stderr; the top of the
// library installs a richer one.

#include <string>

#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// How much a record matters, from the finest to the gravest.
enum class LogLevel { trace, runtime, transport, cancel, info, warning, error, off };

/// One line of log.
struct LogRecord {
  LogLevel level = LogLevel::info;  ///< How much it matters.
  std::string component;            ///< The package that speaks: "fiber", "ipc", ...
  std::string text;                 ///< The message, one line.
};

/// The name of a level: "warning".
const char* to_string(LogLevel level) noexcept;

/// Whether a record of this level would be written. Never waits.
bool log_enabled(LogLevel level) noexcept;

/// Sets the level from which on records are written; `LogLevel::warning` at the start.
void set_log_level(LogLevel level) noexcept;

/// Hands a record to the sink when its level is on. Never waits.
void log_message(LogLevel level, const char* component, std::string text);

/// Sends every record to `sink` from now on; an empty function restores the default. The sink must
/// not wait.
void set_log_sink(UniqueFunction<void(const LogRecord&)> sink);

}  // namespace troupe

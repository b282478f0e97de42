// SPDX-License-Identifier: Apache-2.0
#pragma once

// The logging seam: what the layers below say, and where it goes. Nothing here waits or allocates
// while a level is off. The layers above tell which task and which actor speaks, and may put
// another console in the place of stderr. Programs use logger.h.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "troupe/runtime/base/log_levels.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// One line of log.
struct LogRecord {
  std::chrono::system_clock::time_point time{};  ///< When it was said.
  LogLevel level = LogLevel::info;               ///< How much it matters.
  std::string component{};                       ///< Who speaks: "ipc", or a logger's name.
  std::string actor{};                           ///< In which actor; empty outside of one.
  pid_t pid = 0;                                 ///< In which process.
  std::string task{};                            ///< In which task; empty outside of one.
  std::string text{};                            ///< The message.
};

/// Hands a record to the sink, or else to the console, when its level is on. Never waits; an error
/// of the sink is dropped. Threads: any.
void log_message(LogLevel level, std::string_view component, std::string text);

/// The same, for what a program must be told unless its log is off: that something else decides
/// where it thought to decide itself. Its level is `warning`.
void log_notice(std::string_view component, std::string text);

/// Sends every record to `sink` instead of the console from now on; an empty function ends that.
/// The sink must not wait; what is logged inside of it is dropped. Throws `UsageError` inside of
/// it.
void set_log_sink(UniqueFunction<void(const LogRecord&)> sink);

/// For the layers above: where records go without a sink; null for stderr.
void set_log_console(void (*console)(const LogRecord&)) noexcept;
/// For the layers above: the name of this process' actor, empty for none.
void set_log_actor(std::string name);
/// For the layers above: asks for the name of the task that speaks.
void set_log_task_hook(std::string (*task_name)()) noexcept;

}  // namespace troupe

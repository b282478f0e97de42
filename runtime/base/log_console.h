// SPDX-License-Identifier: Apache-2.0
#pragma once

// The console that logs go to: stderr, which actors inherit from each other, so that all speak on
// one terminal. Private to the library.

#include <string>

#include "troupe/runtime/base/log.h"

namespace troupe {

/// A record as a line, with its end: time, level, actor, pid, task, component, message.
std::string format_log_line(const LogRecord& record, bool coloured);

/// Writes a record to stderr, by one `write(2)`: lines of several actors do not mix. In colour on a
/// terminal, unless NO_COLOR is set in the environment, and wherever FORCE_COLOR is. Never waits.
void write_log_line(const LogRecord& record);

}  // namespace troupe

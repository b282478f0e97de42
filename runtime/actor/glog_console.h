// SPDX-License-Identifier: Apache-2.0
#pragma once

// glog behind the console: a program that has initialised glog finds the runtime's lines, and those
// of its loggers, wherever its glog writes. Private to runtime/actor; the only place that knows
// glog.

#include "troupe/runtime/base/log.h"

namespace troupe {

/// Hands a record to glog if the program has called `google::InitGoogleLogging`, and else writes it
/// to stderr. Never initialises glog: that can be done once only, and belongs to the program, as do
/// glog's flags. Never waits.
void write_log_by_glog(const LogRecord& record);

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/glog_console.h"

#include <glog/logging.h>

#include "troupe/runtime/base/log_console.h"

namespace troupe {
namespace {

// glog's finest severity is INFO, so the level stands in the text as well.
google::LogSeverity severity_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return google::GLOG_ERROR;
    case LogLevel::warning:
      return google::GLOG_WARNING;
    default:
      return google::GLOG_INFO;
  }
}

}  // namespace

void write_log_by_glog(const LogRecord& record) {
  if (!google::IsGoogleLoggingInitialized()) {
    write_log_line(record);
    return;
  }
  // Nothing that could wait is streamed here: glog holds locks of the thread meanwhile. What glog
  // prints as the file is the component.
  google::LogMessage(record.component.c_str(), 0, severity_of(record.level)).stream()
      << to_string(record.level) << ' ' << record.actor << '[' << record.pid << "] " << record.task
      << " | " << record.text;
}

}  // namespace troupe

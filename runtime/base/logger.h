// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logging as programs use it. Nothing below a warning is written until `get_console_log` turns the
// console on; what a line would show is not even looked at while its level is off.
//
//     auto log = troupe::log::get_console_log("info");
//     log.info("done ", n);

#include <string>
#include <string_view>
#include <utility>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/base/source_location.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {
namespace log {

/// How much a line matters: `trace`, `runtime`, `transport`, `cancel`, `info`, `warning`, `error`.
using Level = LogLevel;
/// One line: time, level, component (the logger's name), actor, pid, task, text.
using Record = LogRecord;

/// Writes lines under a name. A value. Each method appends its arguments to one line, as a stream
/// would; an argument of a type of your own needs `<ostream>` and an `operator<<` for it. Never
/// waits. Threads: any.
class Logger {
 public:
  /// A "troupe." at the beginning of the name is left out.
  explicit Logger(std::string_view name) : name_(log_component(name)) {}

  /// Under which name it writes.
  const std::string& name() const noexcept { return name_; }
  /// Whether a line of this level would be written.
  bool enabled(Level level) const noexcept { return log_enabled(level, name_); }

  /// What happens in detail.
  template <class... Parts>
  void trace(const Parts&... parts) const {
    write(Level::trace, parts...);
  }
  /// Actors and tasks that begin and end.
  template <class... Parts>
  void runtime(const Parts&... parts) const {
    write(Level::runtime, parts...);
  }
  /// Connections that begin and end.
  template <class... Parts>
  void transport(const Parts&... parts) const {
    write(Level::transport, parts...);
  }
  /// Cancellations that are asked for and carried out.
  template <class... Parts>
  void cancel(const Parts&... parts) const {
    write(Level::cancel, parts...);
  }
  /// What whoever runs the program likes to know.
  template <class... Parts>
  void info(const Parts&... parts) const {
    write(Level::info, parts...);
  }
  /// What is not as it should be, and was coped with.
  template <class... Parts>
  void warning(const Parts&... parts) const {
    write(Level::warning, parts...);
  }
  /// What has failed.
  template <class... Parts>
  void error(const Parts&... parts) const {
    write(Level::error, parts...);
  }

  /// A line of a level that is known at run time only.
  template <class... Parts>
  void write(Level level, const Parts&... parts) const {
    log_line(level, name_, parts...);
  }

 private:
  std::string name_;
};

/// Turns on the console log, coloured on a terminal, of this program and of the actors that it
/// starts from then on. `levels` is a level, or levels of components as well:
/// "info,ipc:trace,spawn:runtime". TROUPE_LOGLEVEL in the environment wins over it, with a notice.
/// Returns the logger of the name "troupe". Never waits. Throws `UsageError` when `levels` or the
/// variable cannot be read.
Logger get_console_log(std::string_view levels = "info");

/// A logger of that name.
Logger get_logger(std::string_view name);
/// A logger that has the name of the file in which this is called: "net/server" in net/server.cc.
Logger get_logger(const SourceLocation& where = SourceLocation::current());

/// What is on in this process: "info", or "info,ipc:trace".
std::string get_loglevel();

/// Sends every record that is on to `sink` instead of the console, in this process; an empty
/// function ends that. `sink` is called in the task or thread that logs, one call at a time; it
/// must not wait, and what is logged inside of it is dropped. Throws `UsageError` inside of it.
void set_sink(UniqueFunction<void(const Record&)> sink);

}  // namespace log

/// A logger that is called after its file, or by a name: see `log::get_logger`.
using log::get_logger;
/// What writes lines to the log: see `log::Logger`.
using log::Logger;

}  // namespace troupe

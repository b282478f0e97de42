// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log.h"

#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace troupe {
namespace {

std::atomic<LogLevel> threshold{LogLevel::warning};

// Never destroyed: threads may still speak while the process ends.
struct Sink {
  std::mutex mutex;
  UniqueFunction<void(const LogRecord&)> function;
};
Sink& sink() {
  static Sink* const instance = new Sink;
  return *instance;
}

void write_to_stderr(const LogRecord& record) {
  const std::string line = std::string("troupe: ") + to_string(record.level) + ": " +
                           record.component + ": " + record.text + "\n";
  // One write a line, so that the lines of several processes do not mix. A closed stderr loses it,
  // rightly.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

const char* to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::runtime:
      return "runtime";
    case LogLevel::transport:
      return "transport";
    case LogLevel::cancel:
      return "cancel";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::off:
      return "off";
  }
  return "unknown";
}

bool log_enabled(LogLevel level) noexcept {
  return level >= threshold.load(std::memory_order_relaxed);
}

void set_log_level(LogLevel level) noexcept { threshold.store(level, std::memory_order_relaxed); }

void log_message(LogLevel level, const char* component, std::string text) {
  if (!log_enabled(level)) return;
  const LogRecord record{level, component, std::move(text)};
  Sink& target = sink();
  const std::lock_guard lock(target.mutex);
  if (target.function) {
    target.function(record);
  } else {
    write_to_stderr(record);
  }
}

void set_log_sink(UniqueFunction<void(const LogRecord&)> function) {
  Sink& target = sink();
  const std::lock_guard lock(target.mutex);
  target.function = std::move(function);
}

}  // namespace troupe

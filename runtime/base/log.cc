// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log.h"

#include <unistd.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_console.h"

namespace troupe {
namespace {

// Never destroyed: threads may still speak while the process ends.
struct Outlet {
  std::mutex mutex;
  UniqueFunction<void(const LogRecord&)> sink;
  std::string actor;
};
Outlet& outlet() {
  static Outlet* const instance = new Outlet;
  return *instance;
}

std::atomic<void (*)(const LogRecord&)> console{&write_log_line};
std::atomic<std::string (*)()> task_hook{nullptr};

// Whether this thread is in the sink: a sink that logs must not come back to itself, nor to the
// lock that it is called under.
thread_local bool speaking = false;

class Speaking {
 public:
  Speaking() { speaking = true; }
  Speaking(const Speaking&) = delete;
  Speaking& operator=(const Speaking&) = delete;
  ~Speaking() { speaking = false; }
};

void emit(LogLevel level, std::string_view component, std::string text) {
  LogRecord record;
  record.time = std::chrono::system_clock::now();
  record.level = level;
  record.component = component;
  record.pid = ::getpid();
  record.text = std::move(text);
  if (std::string(*const task_name)() = task_hook.load()) record.task = task_name();
  Outlet& out = outlet();
  const std::lock_guard lock(out.mutex);
  record.actor = out.actor;
  if (out.sink) {
    out.sink(record);
  } else {
    console.load()(record);
  }
}

// A log that cannot be written must not be the end of what it is about.
void try_to_emit(LogLevel level, std::string_view component, std::string text) {
  if (speaking) return;
  const Speaking guard;
  try {
    emit(level, component, std::move(text));
  } catch (const std::exception&) {
  }
}

}  // namespace

void log_message(LogLevel level, std::string_view component, std::string text) {
  if (log_enabled(level, component)) try_to_emit(level, component, std::move(text));
}

void log_notice(std::string_view component, std::string text) {
  if (log_enabled(LogLevel::error, component)) {
    try_to_emit(LogLevel::warning, component, std::move(text));
  }
}

void set_log_sink(UniqueFunction<void(const LogRecord&)> sink) {
  if (speaking) {
    throw UsageError(
        "the log's sink was to be replaced from inside of it; do that after it has returned");
  }
  Outlet& out = outlet();
  // What the old one holds ends after the lock: that may log, too.
  const std::lock_guard lock(out.mutex);
  std::swap(out.sink, sink);
}

void set_log_console(void (*replacement)(const LogRecord&)) noexcept {
  console.store(replacement == nullptr ? &write_log_line : replacement);
}

void set_log_actor(std::string name) {
  Outlet& out = outlet();
  const std::lock_guard lock(out.mutex);
  out.actor = std::move(name);
}

void set_log_task_hook(std::string (*task_name)()) noexcept { task_hook.store(task_name); }

}  // namespace troupe

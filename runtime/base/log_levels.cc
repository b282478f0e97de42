// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log_levels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <memory>
#include <mutex>
#include <optional>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

constexpr std::array all_levels{LogLevel::trace,  LogLevel::runtime, LogLevel::transport,
                                LogLevel::cancel, LogLevel::info,    LogLevel::warning,
                                LogLevel::error,  LogLevel::off};
// Stands for everything, in front of a component or alone.
constexpr std::string_view root_name = "troupe";

// Every setting there was: another thread may be looking at any of them. There are few. Never
// destroyed, since threads may speak while the process ends.
struct Settings {
  std::mutex mutex;
  std::vector<std::unique_ptr<const LogLevels>> all;
};
Settings& settings() {
  static Settings* const instance = new Settings;
  return *instance;
}
std::atomic<LogLevel> lowest_level{LogLevel::warning};
std::atomic<const LogLevels*> present{nullptr};  // null: as at the start

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::optional<LogLevel> find_level(std::string_view name) {
  for (const LogLevel level : all_levels) {
    if (same_word(name, to_string(level))) return level;
  }
  return std::nullopt;
}

LogLevel level_of(std::string_view name) {
  if (const std::optional<LogLevel> level = find_level(name)) return *level;
  std::string known;
  for (const LogLevel level : all_levels) {
    known += (known.empty() ? "" : ", ") + std::string(to_string(level));
  }
  throw UsageError("'" + std::string(name) + "' is no log level; write one of " + known +
                   ", alone or behind a component: \"info\", \"ipc:trace,spawn:info\"");
}

// What stands before the next comma.
std::string_view take_item(std::string_view& text) {
  const std::size_t comma = text.find(',');
  const std::string_view item = text.substr(0, comma);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return trim(item);
}

bool lies_below(std::string_view component, std::string_view name) {
  if (!component.starts_with(name)) return false;
  component.remove_prefix(name.size());
  return component.empty() || component[0] == '.' || component[0] == '/' || component[0] == ':';
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

std::string_view log_component(std::string_view name) noexcept {
  if (name.size() > root_name.size() && name.starts_with(root_name) &&
      name[root_name.size()] == '.') {
    name.remove_prefix(root_name.size() + 1);
  }
  return name;
}

LogLevels LogLevels::parse(std::string_view text) {
  LogLevels levels;
  bool empty = true;
  while (!text.empty()) {
    const std::string_view item = take_item(text);
    if (item.empty()) continue;
    empty = false;
    const std::size_t colon = item.rfind(':');
    if (colon == std::string_view::npos) {
      levels.everywhere_ = level_of(item);
    } else {
      levels.set(trim(item.substr(0, colon)), level_of(trim(item.substr(colon + 1))));
    }
  }
  if (empty) level_of({});
  return levels;
}

void LogLevels::set(std::string_view name, LogLevel level) {
  const std::string_view component = log_component(name);
  if (component.empty()) {
    throw UsageError("a log level stands behind no component; write \"" +
                     std::string(to_string(level)) + "\" or \"component:" + to_string(level) +
                     "\"");
  }
  if (component == root_name) {
    everywhere_ = level;
  } else {
    parts_.emplace_back(component, level);
  }
}

std::string LogLevels::text() const {
  std::string text = to_string(everywhere_);
  for (const auto& [component, level] : parts_) text += "," + component + ":" + to_string(level);
  return text;
}

LogLevel LogLevels::lowest() const noexcept {
  LogLevel lowest = everywhere_;
  for (const auto& [component, level] : parts_) lowest = std::min(lowest, level);
  return lowest;
}

LogLevel LogLevels::of(std::string_view component) const noexcept {
  LogLevel level = everywhere_;
  std::size_t longest = 0;
  for (const auto& [name, own] : parts_) {
    if (name.size() >= longest && lies_below(component, name)) {
      longest = name.size();
      level = own;
    }
  }
  return level;
}

void set_log_levels(const LogLevels& levels) {
  Settings& store = settings();
  const std::lock_guard lock(store.mutex);
  auto same = std::find_if(store.all.begin(), store.all.end(),
                           [&](const auto& one) { return *one == levels; });
  if (same == store.all.end()) {
    same = store.all.insert(same, std::make_unique<const LogLevels>(levels));
  }
  present.store(same->get(), std::memory_order_release);
  lowest_level.store(levels.lowest(), std::memory_order_release);
}

void set_log_level(LogLevel level) { set_log_levels(LogLevels(level)); }

LogLevels log_levels() {
  const LogLevels* const levels = present.load(std::memory_order_acquire);
  return levels == nullptr ? LogLevels() : *levels;
}

bool log_enabled(LogLevel level, std::string_view component) noexcept {
  if (level < lowest_level.load(std::memory_order_relaxed)) return false;
  const LogLevels* const levels = present.load(std::memory_order_acquire);
  return levels == nullptr ? level >= LogLevel::warning : level >= levels->of(component);
}

}  // namespace troupe

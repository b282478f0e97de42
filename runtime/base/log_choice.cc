// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/log_choice.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"

namespace troupe {
namespace {

constexpr const char* variable = "TROUPE_LOGLEVEL";

// The top of main() runs in children, too, before they know what they are.
enum class Notices { held, said, dropped };

struct Choice {
  std::mutex mutex;
  std::optional<LogLevels> fixed;  // by the environment of somebody above
  Notices notices = Notices::held;
  std::vector<std::string> held;
  std::vector<std::string> known;  // held or said before
};
Choice& choice() {
  static Choice* const instance = new Choice;
  return *instance;
}

std::optional<LogLevels> levels_of_environment() {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  try {
    return LogLevels::parse(text);
  } catch (const UsageError& error) {
    throw UsageError(std::string("in the environment variable ") + variable + ": " + error.what());
  }
}

std::optional<LogLevels> fixed_levels() {
  if (std::optional<LogLevels> own = levels_of_environment()) return own;
  Choice& state = choice();
  const std::lock_guard lock(state.mutex);
  return state.fixed;
}

void say(const std::vector<std::string>& notices) {
  for (const std::string& notice : notices) log_notice("log", notice);
}

void note_overruled(const LogLevels& wanted, const LogLevels& fixed) {
  if (wanted == fixed) return;
  const std::string notice = std::string(variable) + "=" + fixed.text() +
                             " wins over the log level '" + wanted.text() +
                             "' that the program asks for; unset it to let the program choose";
  Choice& state = choice();
  {
    const std::lock_guard lock(state.mutex);
    if (state.notices == Notices::dropped) return;
    if (std::find(state.known.begin(), state.known.end(), notice) != state.known.end()) return;
    state.known.push_back(notice);
    if (state.notices == Notices::held) return state.held.push_back(notice);
  }
  say({notice});
}

}  // namespace

void choose_log_levels(std::string_view wanted) {
  std::optional<LogLevels> asked;
  if (!wanted.empty()) asked = LogLevels::parse(wanted);
  const std::optional<LogLevels> fixed = fixed_levels();
  if (fixed) {
    set_log_levels(*fixed);
    if (asked) note_overruled(*asked, *fixed);
  } else if (asked) {
    set_log_levels(*asked);
  }
}

LogInheritance log_levels_for_child(std::string_view wanted) {
  const LogLevels asked = wanted.empty() ? log_levels() : LogLevels::parse(wanted);
  const std::optional<LogLevels> fixed = fixed_levels();
  if (!fixed) return {asked.text(), false};
  if (!wanted.empty()) note_overruled(asked, *fixed);
  return {fixed->text(), true};
}

void inherit_log_levels(const LogInheritance& told) {
  Choice& state = choice();
  {
    const std::lock_guard lock(state.mutex);
    state.notices = Notices::dropped;
    state.held.clear();
    if (told.fixed) state.fixed = LogLevels::parse(told.levels);
  }
  choose_log_levels(told.levels);
}

void say_log_notices() {
  Choice& state = choice();
  std::vector<std::string> notices;
  {
    const std::lock_guard lock(state.mutex);
    if (state.notices == Notices::held) state.notices = Notices::said;
    notices.swap(state.held);
  }
  say(notices);
}

}  // namespace troupe

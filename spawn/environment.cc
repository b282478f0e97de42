// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/environment.h"

#include <unistd.h>

#include <string_view>

#include "troupe/spawn/boot.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/failure.h"

namespace troupe::detail {

namespace {

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void check_variable(const SpawnSpec& spec, const std::string& key, const std::string& value) {
  if (key.empty() || has_nul(key) || key.find('=') != std::string::npos) {
    throw_spawn_usage(spec, quoted_name(key) +
                                " in `env` is no name of a variable: it must be neither empty nor "
                                "contain '=' or NUL");
  }
  if (has_nul(value)) {
    throw_spawn_usage(spec, "the value of " + quoted_name(key) + " in `env` contains a NUL byte");
  }
  if (key == child_mark) {
    throw_spawn_usage(spec, std::string("`") + child_mark + "` in `env` belongs to troupe");
  }
}

}  // namespace

void check_spec(const SpawnSpec& spec) {
  for (const std::string& argument : spec.argv) {
    if (has_nul(argument)) throw_spawn_usage(spec, "an argument in `argv` contains a NUL byte");
  }
  for (const auto& [key, value] : spec.env) check_variable(spec, key, value);
}

void set_variable(std::vector<std::string>& environment, const std::string& key,
                  const std::string& value) {
  const std::string prefix = key + "=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(prefix); });
  environment.push_back(prefix + value);
}

std::vector<std::string> environment_for(const SpawnSpec& spec) {
  std::vector<std::string> environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment.emplace_back(*entry);
  }
  for (const auto& [key, value] : spec.env) set_variable(environment, key, value);
  return environment;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/environment.h"

#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/failure.h"

namespace troupe::detail {

namespace {

void check_variable(const SpawnSpec& spec, const std::string& key, const std::string& value) {
  if (!is_variable_name(key)) {
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

}  // namespace troupe::detail

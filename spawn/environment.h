// SPDX-License-Identifier: Apache-2.0
#pragma once

// argv and environment of a child, checked and in the form that the system wants.

#include <string>
#include <vector>

#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// Throws `UsageError` for an argv or environment that no process can have.
void check_spec(const SpawnSpec& spec);

/// This process' environment, with that of `spec` added.
std::vector<std::string> environment_for(const SpawnSpec& spec);

/// Sets a variable in an environment; the last of several settings wins, as with setenv.
void set_variable(std::vector<std::string>& environment, const std::string& key,
                  const std::string& value);

/// The strings as exec and posix_spawn take them. Lifetime: as long as the strings.
std::vector<char*> pointers_to(const std::vector<std::string>& strings);

}  // namespace troupe::detail

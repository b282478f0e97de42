// SPDX-License-Identifier: Apache-2.0
#pragma once

// How backends say that a child cannot be started: who, what the system said, and what helps.

#include <string>

#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// Throws `SpawnFailed`: the system refused `step` with `error`, an errno.
[[noreturn]] void throw_spawn_failed(const SpawnSpec& spec, const char* step, int error);

/// Throws `UsageError`: no process can be what `spec` describes.
[[noreturn]] void throw_spawn_usage(const SpawnSpec& spec, const std::string& what);

}  // namespace troupe::detail

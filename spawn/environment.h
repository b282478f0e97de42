// SPDX-License-Identifier: Apache-2.0
#pragma once

// argv and environment of a child, checked.

#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// Throws `UsageError` for an argv or environment that no process can have.
void check_spec(const SpawnSpec& spec);

}  // namespace troupe::detail

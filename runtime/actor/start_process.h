// SPDX-License-Identifier: Apache-2.0
#pragma once

// From an actor's options to its process: which backend makes it.

#include <memory>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/spawn/child.h"

namespace troupe {

/// Starts the process of a child of `parent`, which is handed `blob`. Checkpoint. Throws
/// `SpawnFailed` when it cannot be started, `UsageError` for options that no process can have.
std::unique_ptr<Child> start_process(Actor& parent, const ActorOptions& options, Bytes blob);

}  // namespace troupe

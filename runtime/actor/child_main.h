// SPDX-License-Identifier: Apache-2.0
#pragma once

// The life of a child actor's process, from its boot record to its exit.

#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/spawn/boot.h"

namespace troupe {

/// Becomes the actor that `boot` describes, serves until it is asked to end or its parent dies, and
/// ends the process.
[[noreturn]] void run_child_actor(Boot boot, RunOptions options, DirectoryFactory directory);

/// Removes what the dead parent of the actor that `blob` describes has left behind, when that actor
/// never comes to life: see `BootHooks::orphaned`. Throws when it cannot be read.
void clear_up_after_parent(BytesView blob);

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The backend `Launcher`: a child is this program, started by a command of the user's, here or
// elsewhere. Nothing but stdin is expected to reach it: the record comes that way, and it is the
// life-line.

#include <memory>

#include "troupe/spawn/child.h"
#include "troupe/spawn/spec.h"
#include "troupe/spawn/start_method.h"

namespace troupe {

/// Runs the command of `launcher`, which starts this program. The `Child` is the command: it leads
/// a process group of its own, and dies with this process; signals go to its group, and its end is
/// the child's. The program at the far end ends when its stdin does.
///
/// The command has this process' environment; `spec.env` is for the program alone. Outputs are
/// those of `spec`, as the command hands them on. A command that cannot be run ends with exit
/// code 127, and says why on its stderr.
///
/// Checkpoint, when `spec.blob` is larger than the socket's buffer; then as `spawn_exec`. Throws
/// `SpawnFailed` as that does, and `UsageError` for a command that does not contain "{exe}".
/// Threads: as `spawn_exec`.
std::unique_ptr<Child> spawn_launched(const Launcher& launcher, const SpawnSpec& spec);

}  // namespace troupe

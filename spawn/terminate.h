// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last rungs of the kill ladder: grace, SIGKILL, reaping. The first rung, asking the actor to
// cancel itself, belongs to those who can talk to it.

#include <chrono>

#include "troupe/spawn/child.h"

namespace troupe {

/// Ends a child that was asked to end: waits up to `grace` for that, kills it (SIGKILL) if it has
/// not, and returns how it ended. The command of a `Launcher` gets SIGTERM first, and a second for
/// it: it may have something at the other end to end. It is reaped in any case, except that after
/// 10 s a process which hangs in the kernel is given up with an error in the log and
/// `ExitStatus::unknown()`; its `Child` sees to it further.
///
/// Shielded: a cancellation does not cut it short, so it takes `grace` at the longest (a launched
/// one, two seconds more).
/// Throws `UsageError` if `grace` is negative.
ExitStatus terminate(Child& child, std::chrono::nanoseconds grace);

}  // namespace troupe

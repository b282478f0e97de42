// SPDX-License-Identifier: Apache-2.0
#pragma once

// The backend `exec`: a child is a fresh image of this very program. It needs nothing set up
// beforehand and shares nothing with its parent, and it costs the program's start and its dynamic
// linking each time.

#include <memory>

#include "troupe/spawn/child.h"
#include "troupe/spawn/spec.h"

namespace troupe {

/// Starts this very program as a child process, which finds its record by `take_boot_record`.
///
/// The child has: the argv and the environment of `spec`; /dev/null as stdin, stdout and stderr as
/// `spec.stdio` says; the life-line as descriptor 3, and no other descriptor; an empty signal mask
/// and all signals at their default action. SIGCHLD, if ignored here, is set to its default action,
/// as children could not be waited for otherwise.
///
/// Checkpoint, when `spec.blob` is larger than the socket's buffer (some 100 KiB): then it waits
/// until the child reads it. A child that never does is waited for until the caller's scope is
/// cancelled, and then killed and reaped.
///
/// Throws `SpawnFailed` if the process cannot be started, or ends while this waits for it to take
/// its record; `UsageError` for an argv or environment that no process can have.
/// Threads: call it from the thread that runs the loop; the kernel kills a booting child when the
/// thread that has spawned it ends.
std::unique_ptr<Child> spawn_exec(const SpawnSpec& spec);

namespace detail {

/// `spawn_exec` with another program than this one.
std::unique_ptr<Child> spawn_image(const std::string& path, const SpawnSpec& spec);

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the libraries behind this package start and end, in processes that live for an actor alone.

namespace troupe {

/// Starts them as far as that needs no thread and no descriptor: libzmq reads the system's
/// databases of protocols for each first context of a process, which takes a third of a
/// millisecond, libsodium looks at the processor, and we at the host. For a process that forks
/// actors, before it does. Never waits.
void start_libraries_before_forks();

/// Leaves libzmq's threads to the end of the process, which ends them faster than they end one
/// another. For a process that exits when its transport is gone. Never waits.
void leave_libraries_to_exit();

}  // namespace troupe

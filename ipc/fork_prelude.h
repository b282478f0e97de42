// SPDX-License-Identifier: Apache-2.0
#pragma once

// What processes that are forked from one that waits need not do again each.

namespace troupe {

/// Starts the libraries behind this package as far as that needs no thread and no descriptor:
/// libzmq reads the system's databases of protocols for each first context of a process, which
/// takes a third of a millisecond, and libsodium looks at the processor. For a process that forks
/// actors, before it does. Never waits.
void start_libraries_before_forks();

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The server process of the backend `forkserver`: this very program, stopped where it would become
// an actor. It has one thread, has opened nothing that a child must not have, and forks when it is
// asked to. Its end is that of its owner, an actor.

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe::detail {

/// Makes children for the process at the other end of `control`, whose pidfd is `owner`, and ends
/// this process when that one does, after it has called `orphaned`. Returns in each child, with the
/// child's life-line under the number of `control`. The child then is as if it had been executed:
/// its parent is the zygote's owner; environment, working directory and outputs are those of its
/// request; signals and name are those that the program had when it came here.
///
/// What the program has changed before that in its own memory (the state of `std::mt19937`, say) is
/// the same in all children; that of `rand` and `random` is drawn anew.
UniqueFd serve_as_zygote(UniqueFd control, UniqueFd owner, UniqueFunction<void()> orphaned);

}  // namespace troupe::detail

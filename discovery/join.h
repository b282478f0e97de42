// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a root finds its place in a cluster: it joins the arbiters that answer at the addresses it
// was given, or becomes the arbiter there when nobody does. Of programs that start at the same
// moment exactly one gets the addresses, and the others join it.

#include <memory>

#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

/// Joins, or becomes the arbiter, at the addresses in the actor's configuration. Checkpoint; takes
/// some seconds at most. Throws `TransportClosed` when whoever listens there is no arbiter, refuses
/// us or does not answer, and when nobody does and the address is not this host's.
std::unique_ptr<Directory> join_cluster(Actor& actor);

}  // namespace troupe

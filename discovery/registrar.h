// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which directory an actor has: the arbiter the registry itself, everybody else calls to it.

#include <memory>

#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

/// The directory of `actor`: that of its parent's tree for a child; for a root that of the cluster
/// it is to join, else its own. Checkpoint when a cluster is joined; throws as `join_cluster`.
std::unique_ptr<Directory> make_directory(Actor& actor);

}  // namespace troupe

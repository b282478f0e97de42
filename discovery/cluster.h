// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program's options and its environment say about other programs: where their arbiters are,
// and which secret they share. The environment wins, with a notice in the log.

#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/auth.h"
#include "troupe/runtime/actor/actor_options.h"

namespace troupe {

struct ActorConfig;

/// Fills in the root's part of `config` that concerns clusters: addresses, and the key where it is
/// not the tree's alone. Reads, or makes, the key file. Throws `UsageError` when something is wrong
/// with it, with an address, or when options contradict each other.
void configure_cluster(ActorConfig& config, const RunOptions& options);

/// Whether a root so configured serves others before its main task starts.
bool serves_from_the_start(const ActorConfig& config);

/// The key of the cluster to which the actors at `addresses` belong, if it is not this actor's own:
/// from the token file, else the user's, for this host. Throws as above.
Key cluster_key(const ActorConfig& config, const std::vector<Address>& addresses);

}  // namespace troupe

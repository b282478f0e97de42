// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finding actors by name. All of these ask the arbiter, so they are checkpoints and throw
// `TransportClosed` when it is gone; bound them with `fail_after` or `move_on_after`.

#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

/// Waits until somebody has the name, and connects to it.
Portal wait_for_actor(const std::string& name);

/// The actor of that name that came last, connected; none when nobody has it.
std::optional<Portal> find_actor(const std::string& name);

/// Every actor of that name, the last first; not connected yet.
std::vector<Portal> find_actors(const std::string& name);

/// Where the actor of that name listens, without connecting; none when nobody has it.
std::optional<Address> query_actor(const std::string& name);

/// The actor that keeps the names.
Portal get_arbiter();

/// Another name of `get_arbiter`.
Portal get_registry();

}  // namespace troupe

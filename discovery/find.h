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

/// Waits until somebody has the name, and connects to it. Throws `TransportClosed` when there is no
/// way to that actor from here.
Portal wait_for_actor(const std::string& name);

/// The actor of that name that came last, connected; none when nobody has it. An entry whose actor
/// is gone is passed over, and removed. Throws `TransportClosed` when there is no way to an actor
/// that is not gone. An actor that was found before is found again without a message, as long as
/// the arbiter tells in the background who has the name: a new one of that name may be found a
/// moment later then.
std::optional<Portal> find_actor(const std::string& name);

/// Every actor of that name, the last first; not connected yet.
std::vector<Portal> find_actors(const std::string& name);

/// Where the actor of that name listens, the nearest of its addresses, without connecting; none
/// when nobody has it.
std::optional<Address> query_actor(const std::string& name);

/// The actor that keeps the names; the first that answers, where there are several.
Portal get_arbiter();

/// Whoever listens at that address, such as "tcp://127.0.0.1:1616", connected: the arbiter of this
/// or of another cluster, to which the user's key or the token file opens the door. Throws
/// `TransportClosed` when nobody answers there, or refuses, and `UsageError` when the address is
/// none.
Portal get_arbiter(const std::string& address);
/// The same, of an address that was parsed already.
Portal get_arbiter(const Address& address);

/// Another name of `get_arbiter`.
Portal get_registry();
/// Another name of `get_arbiter`.
Portal get_registry(const std::string& address);

}  // namespace troupe

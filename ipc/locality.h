// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which addresses lead where from here. An actor tells all of its addresses and the host it runs
// on; a socket file, and the loopback, mean the same thing only there.

#include <string>
#include <vector>

#include "troupe/ipc/address.h"

namespace troupe {

/// Names the machine that this process runs on, as it was booted, and the network that it sees:
/// "<boot id>/<network>". Containers of one machine share the first part only.
const std::string& this_host();

/// Those of `addresses`, of an actor on `host` (empty: on this one), that can lead there from here,
/// nearest first: sockets on this host, then its loopback, then the network. Otherwise in the order
/// given.
std::vector<Address> nearest_first(const std::vector<Address>& addresses, const std::string& host);

/// What others can connect to when we listen at `bound`: itself, and for a wildcard host every
/// address of this host's interfaces.
std::vector<Address> connectable(const Address& bound);

/// The address of the interface through which this host reaches `remote`, a `tcp` address; empty
/// when there is none. Blocks while a name is looked up.
std::string interface_towards(const Address& remote);

}  // namespace troupe

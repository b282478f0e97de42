// SPDX-License-Identifier: Apache-2.0
#pragma once

// Many actors that register with one arbiter, without processes and sockets: what is left is what
// the arbiter's own work costs, and their half of the protocol.

namespace troupe::bench {

/// Makes `count` sessions with an arbiter, over each of which an actor of its own name shakes hands
/// and registers. Returns the seconds until the last has been answered.
double register_over_sessions(int count);

}  // namespace troupe::bench

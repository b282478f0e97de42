// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the runtime itself needs to know of received signals. Not for users.

#include <csignal>

namespace troupe::detail {

/// Takes the signals that a loop blocks only because it receives them out of a mask that a new
/// thread is to get: what the thread starts must not be deaf to them. Thread-safe.
void leave_received_signals_to_their_loop(sigset_t& mask);

}  // namespace troupe::detail

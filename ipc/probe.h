// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks the kernel about an address, where libzmq only says that something failed. Private to the
// package.

#include <string>

#include "troupe/ipc/address.h"

namespace troupe {

/// Why an address cannot be connected to, or listened at.
struct Fault {
  std::string text{};    ///< What is wrong, and what to do; empty: nothing.
  bool passing = false;  ///< Whether trying again soon may help.
  bool in_use = false;   ///< Whether another process listens there.
};

/// Finds out why a connection to `address` failed a moment ago. Never waits.
Fault why_unreachable(const Address& address);

/// Why an `ipc` address must not be bound: another process listens there, or the file is no socket;
/// without text when it may be. A socket file that a dead process left is no obstacle.
Fault why_not_bindable(const Address& address);

}  // namespace troupe

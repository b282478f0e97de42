// SPDX-License-Identifier: Apache-2.0
#pragma once

// The terminal, which one debugger at a time may have. The lock is the kernel's, on the terminal's
// own device: it works between all processes that share the terminal, from signal handlers and
// threads, is given in the order of asking, and is free again when its holder dies. Private to the
// package.

#include <string>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// The controlling terminal of this process; a device, or empty when there is none.
std::string terminal_device();

/// A new descriptor of it, for reading and writing; invalid when it cannot be opened.
UniqueFd open_terminal(const std::string& device) noexcept;

/// Waits until nobody else has the terminal. Whoever has a copy of `terminal` has it from then on.
/// Blocks the thread; may be called in a signal handler. Returns false when it cannot be locked.
bool lock_terminal(int terminal) noexcept;

/// Whether somebody has the terminal, or waits for it. Never waits.
bool terminal_is_taken(const std::string& device) noexcept;

}  // namespace troupe::detail

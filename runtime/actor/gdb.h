// SPDX-License-Identifier: Apache-2.0
#pragma once

// gdb, attached to this very process, at a terminal. Private to the package.

#include <string>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// Where gdb is, in the PATH; empty when nowhere.
std::string find_gdb();

/// Whether a child of this process may trace it. Blocks the thread for a moment.
bool may_be_traced() noexcept;

/// Whether a debugger has this process at present. May be called in a signal handler.
bool is_traced() noexcept;

/// Starts gdb at `terminal`, which is locked, and waits until it has attached: the process then
/// runs on under it. The terminal is gdb's until that ends; then its modes and its foreground are
/// again what they were, also when gdb or this process is killed. Blocks the thread; may be called
/// in a signal handler. Returns false when gdb has ended without attaching.
bool attach_gdb(const char* gdb, UniqueFd terminal) noexcept;

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Descriptors for processes. A pidfd is readable once its process has ended, and never refers to
// another process that was given the same pid. (glibc 2.36 declares these calls for C only.)

#include <sys/types.h>

#include <chrono>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// Opens a pidfd with close-on-exec for a process that has not been reaped; empty, with errno set,
/// if that fails.
UniqueFd open_pidfd(pid_t pid) noexcept;

/// Sends a signal; returns 0, or -1 with errno set (ESRCH: it has ended).
int send_signal_to(int pidfd, int signal) noexcept;

/// Whether the process has ended, or ends within `limit`: its descriptors are closed then, and its
/// locks let go. Blocks the thread. False for an empty descriptor.
bool ends_within(int pidfd, std::chrono::milliseconds limit) noexcept;

}  // namespace troupe::detail

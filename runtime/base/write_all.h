// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writing to a descriptor that takes what it is given: stderr, a file, a terminal.

#include <string_view>

namespace troupe {

/// Writes all of `octets`, in one system call where the descriptor takes that. Blocks the thread.
/// Returns 0, or the `errno` for which the rest was not written. May be called in signal handlers.
int write_all(int fd, std::string_view octets) noexcept;

}  // namespace troupe

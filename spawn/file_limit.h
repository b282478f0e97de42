// SPDX-License-Identifier: Apache-2.0
#pragma once

// The limit of open files. An actor needs a few descriptors for each child and peer, and the usual
// soft limit of 1024 (kept low for programs that call select) is soon used up.

#include <cstdint>

namespace troupe {

/// Raises this process' soft limit of open files to its hard limit, 1,048,576 at most; never
/// lowers it. Returns the soft limit from before, for `set_file_limit` in programs that need it.
std::uint64_t raise_file_limit() noexcept;

/// Sets the soft limit. Returns false when the system refuses it.
bool set_file_limit(std::uint64_t soft_limit) noexcept;

}  // namespace troupe

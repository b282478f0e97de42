// SPDX-License-Identifier: Apache-2.0
#pragma once

// The limit of open files. An actor needs a few descriptors for each child and peer, and the usual
// soft limit of 1024 (kept low for programs that call select) is soon used up.

namespace troupe {

/// Raises this process' soft limit of open files to its hard limit, 1,048,576 at most; never
/// lowers it. Its children inherit that.
void raise_file_limit() noexcept;

}  // namespace troupe

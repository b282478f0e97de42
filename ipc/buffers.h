// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffers for messages of many small values, used again and again: malloc would give their memory
// back to the kernel and fetch it anew, page by page, which took 7 % of either end's time.

#include <cstddef>

#include "troupe/runtime/base/bytes.h"

namespace troupe {

/// What a buffer has room for, in octets: a little more than what is gathered for a message.
inline constexpr std::size_t buffer_size = 20 * 1024;
/// Less is better copied.
inline constexpr std::size_t worth_a_buffer = 8 * 1024;

/// An empty buffer. Threads: any.
Bytes take_buffer();
/// Takes a buffer back, or any other octets, which are dropped. Threads: any.
void give_buffer(Bytes&& buffer) noexcept;

}  // namespace troupe

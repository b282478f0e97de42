// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the receiving end of a stream buffers.

#include <cstddef>
#include <cstdint>

namespace troupe {

/// What happens when a sender is faster than its receiver.
enum class Overrun : std::uint8_t {
  wait,         ///< The sender waits; nothing is lost. The default.
  raise,        ///< The stream fails with `StreamOverrun`.
  drop_oldest,  ///< The oldest values that nobody has taken are dropped.
};

/// One receiving end. Given first: `portal.open_stream<&f>(StreamOptions{.buffer = 8}, args...,
/// body)`.
struct StreamOptions {
  Overrun overrun = Overrun::wait;  ///< What happens when the buffer is full.
  /// How many values are buffered; 0: the default, 16,384 values of 2.5 MiB together at most (which
  /// also bounds `wait` when given).
  std::size_t buffer = 0;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One deadline, as a cancel scope holds it. The heap of them is in deadlines.h.

#include <cstddef>

namespace troupe {

/// Something that happens at a time. It must not be destroyed while it is in a heap.
struct DeadlineEntry {
  /// Called on the loop when the time has come; the entry has left the heap by then. Must not wait.
  void (*fire)(DeadlineEntry&) noexcept;
  std::size_t index = not_queued;  ///< Its place in the heap.

  static constexpr std::size_t not_queued =
      static_cast<std::size_t>(-1);  ///< `index` outside of a heap.
  /// Whether it is in a heap.
  bool queued() const noexcept { return index != not_queued; }
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's deadlines: a heap of intrusive entries, so that setting and dropping one allocates
// nothing and takes time in the logarithm of their number, whatever its place.

#include <cstddef>
#include <vector>

#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/deadline_entry.h"

namespace troupe {

/// A 4-ary heap of deadlines: half as deep as a binary one, and a node's children share a cache
/// line.
class Deadlines {
 public:
  /// Adds an entry that is in no heap.
  void add(DeadlineEntry& entry, TimePoint when);
  /// Takes an entry out; nothing happens when it is in no heap.
  void remove(DeadlineEntry& entry) noexcept;
  /// The earliest deadline, or `never`.
  TimePoint next() const noexcept { return heap_.empty() ? never : heap_.front().when; }
  /// Fires all whose time has come, the earliest first.
  void fire_due(TimePoint now) noexcept;
  /// How many there are.
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Slot {
    TimePoint when;
    DeadlineEntry* entry;
  };

  void place(std::size_t index, Slot slot) noexcept;
  void sift_up(std::size_t index, Slot slot) noexcept;
  void sift_down(std::size_t index, Slot slot) noexcept;

  std::vector<Slot> heap_;
};

}  // namespace troupe

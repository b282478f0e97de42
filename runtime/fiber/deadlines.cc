// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/deadlines.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t arity = 4;

}  // namespace

void Deadlines::add(DeadlineEntry& entry, TimePoint when) {
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {when, &entry});
}

void Deadlines::remove(DeadlineEntry& entry) noexcept {
  if (!entry.queued()) return;
  const std::size_t hole = std::exchange(entry.index, DeadlineEntry::not_queued);
  const Slot last = heap_.back();
  heap_.pop_back();
  if (hole == heap_.size()) return;
  if (hole > 0 && last.when < heap_[(hole - 1) / arity].when) {
    sift_up(hole, last);
  } else {
    sift_down(hole, last);
  }
}

void Deadlines::fire_due(TimePoint now) noexcept {
  while (!heap_.empty() && heap_.front().when <= now) {
    DeadlineEntry& entry = *heap_.front().entry;
    remove(entry);
    entry.fire(entry);
  }
}

void Deadlines::place(std::size_t index, Slot slot) noexcept {
  heap_[index] = slot;
  slot.entry->index = index;
}

void Deadlines::sift_up(std::size_t index, Slot slot) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / arity;
    if (!(slot.when < heap_[parent].when)) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, slot);
}

void Deadlines::sift_down(std::size_t index, Slot slot) noexcept {
  for (;;) {
    const std::size_t first = index * arity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + arity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].when < heap_[least].when) least = child;
    }
    if (!(heap_[least].when < slot.when)) break;
    place(index, heap_[least]);
    index = least;
  }
  place(index, slot);
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The open dialogs of one connection: a small hash table without an allocation per entry, since
// every call passes through it at both ends. Open addressing, linear probing, deletion by shifting
// back. Private to the package.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe {

class DialogHandler;

/// Maps dialog ids (never 0) to their handlers.
class DialogTable {
 public:
  /// The handler of `id`, or null.
  DialogHandler* find(std::uint64_t id) const noexcept {
    if (size_ == 0) return nullptr;
    const std::size_t at = slot_of(id);
    return slots_[at].id == id ? slots_[at].handler : nullptr;
  }

  /// Adds an id that is not in the table.
  void insert(std::uint64_t id, DialogHandler& handler) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    slots_[slot_of(id)] = {id, &handler};
    ++size_;
  }

  /// Removes `id` and returns its handler; null when it is not in the table.
  DialogHandler* erase(std::uint64_t id) noexcept {
    if (size_ == 0) return nullptr;
    std::size_t hole = slot_of(id);
    if (slots_[hole].id != id) return nullptr;
    DialogHandler* handler = slots_[hole].handler;
    --size_;
    for (std::size_t at = next(hole); slots_[at].id != 0; at = next(at)) {
      // An entry may move into the hole unless that lies before its home.
      const std::size_t home = home_of(slots_[at].id);
      if (((at - home) & mask()) >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole] = {};
    return handler;
  }

  /// Takes any entry out; {0, null} when there is none.
  std::pair<std::uint64_t, DialogHandler*> pop() noexcept {
    if (size_ == 0) return {0, nullptr};
    while (slots_[cursor_ & mask()].id == 0) ++cursor_;
    const std::uint64_t id = slots_[cursor_ & mask()].id;
    return {id, erase(id)};
  }

  /// How many entries there are.
  std::size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    std::uint64_t id = 0;
    DialogHandler* handler = nullptr;
  };

  std::size_t mask() const noexcept { return slots_.size() - 1; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  // Ids of one opener are consecutive even or odd numbers: half of each spreads them without
  // collisions.
  std::size_t home_of(std::uint64_t id) const noexcept {
    return static_cast<std::size_t>((id >> 1) ^ (id << 7)) & mask();
  }

  // Where `id` is, or would be put.
  std::size_t slot_of(std::uint64_t id) const noexcept {
    std::size_t at = home_of(id);
    while (slots_[at].id != 0 && slots_[at].id != id) at = next(at);
    return at;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != 0) slots_[slot_of(slot.id)] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The buffer of channels: a queue in one piece of memory that doubles when it is full and is then
// reused for ever, so that a channel in steady use allocates nothing.

#include <cstddef>
#include <memory>
#include <utility>

namespace troupe::detail {

/// A queue of `T`. Resource.
template <class T>
class Ring {
 public:
  Ring() noexcept = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&&) = delete;
  ~Ring() {
    clear();
    if (slots_ != nullptr) std::allocator<T>().deallocate(slots_, mask_ + 1);
  }

  /// Whether there is no element.
  bool empty() const noexcept { return count_ == 0; }
  /// How many elements there are.
  std::size_t size() const noexcept { return count_; }
  /// The element `index` places behind the first.
  T& operator[](std::size_t index) noexcept { return slots_[(first_ + index) & mask_]; }
  /// The first element; there must be one.
  T& front() noexcept { return slots_[first_]; }

  /// Appends an element. When making it throws, nothing has changed.
  template <class... Args>
  void emplace_back(Args&&... args) {
    if (slots_ == nullptr || count_ > mask_) grow();
    std::construct_at(slots_ + ((first_ + count_) & mask_), std::forward<Args>(args)...);
    ++count_;
  }
  /// Drops the first element; there must be one.
  void pop_front() noexcept {
    T* const gone = slots_ + first_;
    first_ = (first_ + 1) & mask_;
    --count_;
    std::destroy_at(gone);
  }
  /// Drops all elements.
  void clear() noexcept {
    while (!empty()) pop_front();
  }
  /// Exchanges the contents.
  void swap(Ring& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(mask_, other.mask_);
    std::swap(first_, other.first_);
    std::swap(count_, other.count_);
  }

 private:
  void grow() {
    Ring larger;
    const std::size_t slots = slots_ == nullptr ? 8 : 2 * (mask_ + 1);
    larger.slots_ = std::allocator<T>().allocate(slots);
    larger.mask_ = slots - 1;
    for (std::size_t i = 0; i < count_; ++i) larger.emplace_back(std::move((*this)[i]));
    swap(larger);
  }

  T* slots_ = nullptr;
  std::size_t mask_ = 0;  // number of slots, a power of two, less one
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace troupe::detail

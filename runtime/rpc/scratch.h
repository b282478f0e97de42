// SPDX-License-Identifier: Apache-2.0
#pragma once

// A buffer to encode one value into, which is used again for the next: values that leave one after
// the other cost no allocation. Private to the package.

#include <utility>

#include "troupe/runtime/base/bytes.h"

namespace troupe::detail {

/// Empty octets, with room where there is a used buffer.
Bytes take_scratch() noexcept;
/// Gives a buffer back.
void give_scratch(Bytes&& bytes) noexcept;

/// The same for a block, without a move. Wait as little as possible while it lives.
class ScratchBytes {
 public:
  ScratchBytes() : bytes_(std::exchange(idle_, nullptr)) {
    if (bytes_ == nullptr) [[unlikely]]
      bytes_ = make();
  }
  ScratchBytes(const ScratchBytes&) = delete;
  ScratchBytes& operator=(const ScratchBytes&) = delete;
  ~ScratchBytes() {
    if (idle_ != nullptr || bytes_->capacity() > max_kept) [[unlikely]] {
      drop(bytes_);
    } else {
      bytes_->clear();
      idle_ = bytes_;
    }
  }

  Bytes& operator*() noexcept { return *bytes_; }

 private:
  friend Bytes take_scratch() noexcept;
  friend void give_scratch(Bytes&& bytes) noexcept;

  // Larger ones are moved into what is sent, or not worth keeping.
  static constexpr std::size_t max_kept = 64 * 1024;

  static Bytes* make();
  static void drop(Bytes* bytes) noexcept;

  // The thread's one, empty, while nobody has it: who encodes does not wait, but for a user's
  // serialize function that does. A plain pointer, so that a look at it costs nothing.
  static constinit thread_local Bytes* idle_;

  Bytes* bytes_;
};

inline constinit thread_local Bytes* ScratchBytes::idle_ = nullptr;

}  // namespace troupe::detail

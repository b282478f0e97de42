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

/// The same for a block. Wait as little as possible while it lives.
class ScratchBytes {
 public:
  ScratchBytes() noexcept : bytes_(take_scratch()) {}
  ScratchBytes(const ScratchBytes&) = delete;
  ScratchBytes& operator=(const ScratchBytes&) = delete;
  ~ScratchBytes() { give_scratch(std::move(bytes_)); }

  Bytes& operator*() noexcept { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace troupe::detail

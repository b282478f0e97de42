// SPDX-License-Identifier: Apache-2.0
#pragma once

// A buffer to encode one value into, which is used again for the next: values that leave one after
// the other cost no allocation. Private to the package.

#include "troupe/runtime/base/bytes.h"

namespace troupe::detail {

/// Empty octets with room, taken from the thread and given back at the end.
class ScratchBytes {
 public:
  ScratchBytes() noexcept;
  ScratchBytes(const ScratchBytes&) = delete;
  ScratchBytes& operator=(const ScratchBytes&) = delete;
  ~ScratchBytes();

  Bytes& operator*() noexcept { return bytes_; }
  Bytes* operator->() noexcept { return &bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/scratch.h"

namespace troupe::detail {

Bytes* ScratchBytes::make() {
  // At the thread's end.
  static thread_local const struct Last {
    ~Last() { delete std::exchange(idle_, nullptr); }
  } last;
  static_cast<void>(last);
  return new Bytes;
}

void ScratchBytes::drop(Bytes* bytes) noexcept { delete bytes; }

Bytes take_scratch() noexcept {
  Bytes taken;
  if (ScratchBytes::idle_ != nullptr) taken.swap(*ScratchBytes::idle_);
  return taken;
}

void give_scratch(Bytes&& bytes) noexcept {
  Bytes* const idle = ScratchBytes::idle_;
  if (idle == nullptr || bytes.capacity() > ScratchBytes::max_kept) return;
  if (bytes.capacity() <= idle->capacity()) return;
  bytes.clear();
  idle->swap(bytes);
}

}  // namespace troupe::detail

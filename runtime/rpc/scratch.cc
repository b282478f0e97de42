// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/scratch.h"

#include <utility>

namespace troupe::detail {
namespace {

// Larger ones are moved into what is sent, or not worth keeping.
constexpr std::size_t max_kept = 64 * 1024;

// One is enough: who encodes does not wait, but for a user's serialize function that does.
thread_local Bytes kept;

}  // namespace

Bytes take_scratch() noexcept {
  Bytes taken(std::move(kept));
  taken.clear();
  return taken;
}

void give_scratch(Bytes&& bytes) noexcept {
  if (bytes.capacity() <= max_kept && bytes.capacity() > kept.capacity()) kept = std::move(bytes);
}

}  // namespace troupe::detail

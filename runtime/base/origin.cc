// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/origin.h"

#include <atomic>

namespace troupe::detail {

// Another start of the hash than `origin_of_end` has; the count is spread by an odd factor.
Origin fresh_origin(std::string_view uuid) noexcept {
  static std::atomic<std::uint64_t> count{0};
  const std::uint64_t number = count.fetch_add(1, std::memory_order_relaxed) + 1;
  return first_hand(origin_hash(uuid, 0x84222325cbf29ce4u) ^ (number * 0x9e3779b97f4a7c15u));
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/run_local.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {

const void* find_run_local(std::uint64_t key) {
  const auto& values = Loop::current().run_locals().values;
  const auto found = values.find(key);
  return found == values.end() ? nullptr : found->second.get();
}

void set_run_local(std::uint64_t key, std::shared_ptr<const void> value) {
  Loop::current().run_locals().values[key] = std::move(value);
}

}  // namespace troupe::detail

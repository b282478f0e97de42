// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/capacity.h"

#include <string>

#include "troupe/runtime/base/error.h"

namespace troupe::detail {

void throw_negative_capacity(long long given) {
  throw UsageError("a capacity cannot be negative, and " + std::to_string(given) +
                   " was given: use 0 or more, or troupe::unbounded for no limit");
}

}  // namespace troupe::detail

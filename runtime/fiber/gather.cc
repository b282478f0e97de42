// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/gather.h"

namespace troupe::detail {

void throw_nothing_to_gather() {
  throw UsageError("gather was given no function: there is nothing to wait for");
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/to_actor.h"

namespace troupe::detail {

std::string actor_name_for(std::string_view key) {
  const FunctionEntry* function = FunctionTable::instance().find(key);
  return function != nullptr ? function->unqualified : "to_actor";
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/gather_contexts.h"

#include "troupe/runtime/base/error.h"

namespace troupe::detail {

void OpenContexts::require_closing(bool opened) const {
  if (!opened) {
    throw UsageError(
        "a function given to gather_contexts returned without calling what it was given: it must "
        "lend out what it opens");
  }
  if (!close_.is_set()) {
    throw UsageError(
        "a function given to gather_contexts returned while what it had opened was in use: it must "
        "wait until that is given back");
  }
}

}  // namespace troupe::detail

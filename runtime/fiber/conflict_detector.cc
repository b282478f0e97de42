// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/conflict_detector.h"

#include "troupe/runtime/base/error.h"

namespace troupe {

void ConflictDetector::throw_conflict(const char* message) { throw UsageError(message); }

}  // namespace troupe

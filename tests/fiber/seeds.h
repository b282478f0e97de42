// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests whose outcome must not depend on the order in which ready tasks run.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "troupe/runtime/fiber/run.h"

namespace troupe::testing {

/// Runs `body` in a loop of its own once in FIFO order, and once with each of 20 seeds.
template <class Body>
void run_with_seeds(Body&& body, FiberOptions options = {}) {
  {
    SCOPED_TRACE("in FIFO order");
    run_tasks(body, options);
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("with schedule_seed " + std::to_string(seed));
    options.schedule_seed = seed;
    run_tasks(body, options);
  }
}

}  // namespace troupe::testing

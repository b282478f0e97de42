// SPDX-License-Identifier: Apache-2.0

// GoogleTest's main for tests whose binary can be an actor.

#include <gtest/gtest.h>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

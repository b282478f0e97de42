// SPDX-License-Identifier: Apache-2.0

// The first scene, over and over: in either order of starting, with random delays before each
// lookup, call and return. Its seeds are printed when it fails.

#include <gtest/gtest.h>

#include <string>

#include "troupe/tests/support/program.h"

namespace {

using troupe::testing::Outcome;
using troupe::testing::Program;

constexpr int scenes_per_order = 100;

void play(const std::string& order, const std::string& lines) {
  for (int seed = 0; seed < scenes_per_order; ++seed) {
    Program program("tests/integration/players", {order}, {{"PLAYERS_SEED", std::to_string(seed)}});
    const Outcome outcome = program.wait();
    ASSERT_EQ(outcome.exit_code, 0) << "seed " << seed << ": " << outcome.errors;
    ASSERT_EQ(outcome.output, lines) << "seed " << seed;
    ASSERT_TRUE(program.processes().empty()) << "seed " << seed;
    ASSERT_TRUE(program.leftover_files().empty()) << "seed " << seed;
  }
}

TEST(FirstSceneTest, DonnyFirst) { play("scene", "Hi my name is donny\nHi my name is gretchen\n"); }

TEST(FirstSceneTest, GretchenFirst) {
  play("scene_reversed", "Hi my name is gretchen\nHi my name is donny\n");
}

}  // namespace

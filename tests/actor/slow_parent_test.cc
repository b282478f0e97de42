// SPDX-License-Identifier: Apache-2.0

// A parent that does not come to answer its child for longer than a handshake may take.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

std::string own_name() { return troupe::current_actor().name(); }

inline const auto& names = troupe::module<"names", &own_name>;

// The time that a child may take is its parent's to say (30 s), busy or not.
TEST(SlowParentTest, AChildWaitsForAParentThatBlocksItsLoop) {
  troupe::open_root_actor({}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      std::string heard;
      troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
        tasks.start_soon(
            [&] { heard = n.start_actor("child", {.enable_modules = {names}}).run<&own_name>(); });
        troupe::sleep(1ms);  // the process is started
        ::sleep(12);         // NOLINT: blocks the loop, as a computation does
        tasks.wait_all();
      });
      EXPECT_EQ(heard, "child");
      n.cancel();
    });
  });
}

}  // namespace

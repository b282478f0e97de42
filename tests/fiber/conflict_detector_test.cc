// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/conflict_detector.h"

#include <gtest/gtest.h>

#include <string>

#include "troupe/runtime/fiber/broadcast_channel.h"
#include "troupe/runtime/fiber/merge.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using testing::wait_all_tasks_blocked;

// T-CLK-09: given two concurrent users of one stream direction, then busy-resource.
TEST(ConflictDetectorTest, TheSecondUserIsRefused) {
  run_tasks([] {
    ConflictDetector sending("two tasks send at once");
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        const ConflictDetector::Use use = sending.enter();
        sleep_forever();
      });
      wait_all_tasks_blocked();
      try {
        const ConflictDetector::Use use = sending.enter();
        ADD_FAILURE() << "two users";
      } catch (const UsageError& error) {
        EXPECT_EQ(std::string(error.what()), "two tasks send at once");
      }
      n.cancel();
    });
    const ConflictDetector::Use free_again = sending.enter();
  });
}

// T-CLK-09: two tasks that receive from what only one may receive from.
TEST(ConflictDetectorTest, OneTaskAtATimeReceivesFromABroadcastOrAMergedEnd) {
  run_tasks([] {
    auto broadcast = open_broadcast<int>(1);
    auto channel = open_memory_channel<int>(1);
    auto merged = merge(channel.receive);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { broadcast.receive.receive(); });
      n.start_soon([&] { merged.receive(); });
      wait_all_tasks_blocked();
      EXPECT_THROW(broadcast.receive.receive(), UsageError);
      EXPECT_THROW(broadcast.receive.try_receive(), UsageError);
      EXPECT_THROW(merged.receive(), UsageError);
      EXPECT_THROW(merged.try_receive(), UsageError);
      EXPECT_THROW(merged.close(), UsageError);
      n.cancel();
    });
  });
}

}  // namespace
}  // namespace troupe

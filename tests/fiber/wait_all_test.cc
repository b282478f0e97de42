// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

TEST(WaitAllTest, ReturnsWhenNoChildIsLeft) {
  run_with_seeds([] {
    open_task_nursery([](TaskNursery& n) {
      int local = 0;  // may be captured by reference: the body waits
      for (int i = 0; i < 5; ++i) {
        n.start_soon([&local] {
          checkpoint();
          ++local;
        });
      }
      n.wait_all();
      EXPECT_EQ(local, 5);
      EXPECT_EQ(n.child_count(), 0u);
      n.start_soon([&local] { ++local; });
      n.wait_all();
      EXPECT_EQ(local, 6);
    });
  });
}

TEST(WaitAllTest, ThrowsOnlyWhenNoChildIsLeft) {
  run_with_seeds([] {
    std::size_t left = 99;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon([] { throw std::out_of_range("child's"); });
                   n.start_soon([] {
                     CancelScope shield({.shield = true});
                     shield.run([] { sleep(1ms); });
                   });
                   try {
                     n.wait_all();
                   } catch (const Cancelled&) {
                     left = n.child_count();
                     throw;
                   }
                 }),
                 std::out_of_range);
    EXPECT_EQ(left, 0u);
  });
}

TEST(WaitAllTest, IsACheckpointWithoutChildren) {
  run_tasks([] {
    CancelScope scope;
    scope.run([&] {
      open_task_nursery([&](TaskNursery& n) {
        scope.cancel();
        EXPECT_THROW(n.wait_all(), Cancelled);
      });
    });
  });
}

TEST(WaitAllTest, IsForTheBodyOnly) {
  run_tasks([] {
    open_task_nursery(
        [](TaskNursery& n) { n.start_soon([&n] { EXPECT_THROW(n.wait_all(), UsageError); }); });
  });
}

}  // namespace
}  // namespace troupe

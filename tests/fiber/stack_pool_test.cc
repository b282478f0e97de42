// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/stack_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

TEST(StackPoolTest, SizesAreRoundedUpToPages) {
  EXPECT_EQ(StackPool(64 * 1024).stack_size(), 64u * 1024);
  EXPECT_EQ(StackPool(64 * 1024 + 1).stack_size(), 64 * 1024 + page);
  EXPECT_GE(StackPool(0).stack_size(), 8 * page);
}

TEST(StackPoolTest, StacksDoNotOverlapAndAreWritable) {
  StackPool pool(32 * 1024);
  std::set<char*> tops;
  for (int i = 0; i < 2000; ++i) {
    char* const top = pool.allocate();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(top) % page, 0u);
    std::memset(top - pool.stack_size() + page, 1, 64);
    std::memset(top - 64, 2, 64);
    tops.insert(top);
  }
  char* previous = nullptr;
  for (char* top : tops) {
    if (previous != nullptr) {
      EXPECT_GE(static_cast<std::size_t>(top - previous), pool.stack_size());
    }
    previous = top;
  }
  for (char* top : tops) pool.release(top);
}

TEST(StackPoolTest, ReleasedStacksAreReusedLastInFirstOut) {
  StackPool pool(32 * 1024);
  char* const first = pool.allocate();
  char* const second = pool.allocate();
  pool.release(first);
  pool.release(second);
  EXPECT_EQ(pool.allocate(), second);
  EXPECT_EQ(pool.allocate(), first);
}

TEST(StackPoolTest, TellsGuardsFromTheRest) {
  StackPool pool(32 * 1024);
  char* const top = pool.allocate();
  char* const bottom = top - pool.stack_size();
  EXPECT_EQ(pool.stack_of_guard(bottom), top);
  EXPECT_EQ(pool.stack_of_guard(bottom + page - 1), top);
  EXPECT_EQ(pool.stack_of_guard(bottom + page), nullptr);
  EXPECT_EQ(pool.stack_of_guard(top - 1), nullptr);
  int on_another_stack;
  EXPECT_EQ(pool.stack_of_guard(&on_another_stack), nullptr);
}

TEST(StackPoolTest, NoMoreMemoryIsBadAlloc) {
  StackPool pool(std::size_t{1} << 46);
  std::vector<char*> tops;
  EXPECT_THROW(for (int i = 0; i < 10; ++i) tops.push_back(pool.allocate()), std::bad_alloc);
}

TEST(StackPoolDeathTest, TheGuardStopsAnOverflow) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  StackPool pool(32 * 1024);
  char* const top = pool.allocate();
  EXPECT_DEATH(std::memset(top - pool.stack_size(), 1, 1), "");
}

// The smallest stacks suffice for throwing and catching.
TEST(StackSizeTest, TheSmallestOneCanThrow) {
  FiberOptions options;
  options.stack_size = 1;
  run_tasks(
      [] {
        try {
          open_task_nursery([](TaskNursery& n) {
            n.start_soon([] { throw std::runtime_error("small"); });
            sleep_forever();
          });
        } catch (const std::runtime_error&) {
        }
      },
      options);
}

TEST(StackSizeTest, IsForTheTask) {
  FiberOptions options;
  options.stack_size = 8 << 20;
  run_tasks(
      [] {
        volatile char large[4 << 20];
        large[0] = 1;
        checkpoint();
        EXPECT_EQ(large[0], 1);
        EXPECT_LT(Loop::current().stack_limit(), const_cast<const char*>(large));
      },
      options);
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/scheduler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

// The order in which five tasks of one batch run, in five rounds.
std::vector<int> order_with(std::optional<std::uint64_t> seed) {
  std::vector<int> order;
  FiberOptions options;
  options.schedule_seed = seed;
  run_tasks(
      [&] {
        for (int round = 0; round < 5; ++round) {
          Event go;
          open_task_nursery([&](TaskNursery& n) {
            for (int who = 0; who < 5; ++who) {
              n.start_soon([&order, &go, who] {
                order.push_back(who);
                go.wait();
                order.push_back(who);
              });
            }
            checkpoint();
            go.set();
          });
        }
      },
      options);
  return order;
}

// T-NUR-30: given a seed, then scheduling order within a batch is deterministic.
TEST(SeedTest, OneSeedGivesOneOrder) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(order_with(seed), order_with(seed));
}

TEST(SeedTest, SeedsGiveDifferentOrders) {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) orders.insert(order_with(seed));
  EXPECT_GE(orders.size(), 19u);
}

// T-NUR-30, adapted: without a seed the order is that in which tasks became ready, for all who
// debug; what must not depend on it is tested with seeds.
TEST(SeedTest, WithoutOneTheOrderIsFifo) {
  std::vector<int> expected;
  for (int i = 0; i < 10; ++i) expected.insert(expected.end(), {0, 1, 2, 3, 4});
  EXPECT_EQ(order_with(std::nullopt), expected);
}

// An explicit checkpoint lets everything run that is ready, whatever the seed.
TEST(FairnessTest, ACheckpointLetsAllReadyTasksRun) {
  run_with_seeds([] {
    for (int count : {1, 2, 10, 200}) {
      int ran = 0;
      open_task_nursery([&](TaskNursery& n) {
        for (int i = 0; i < count; ++i) n.start_soon([&ran] { ++ran; });
        checkpoint();
        EXPECT_EQ(ran, count);
      });
    }
  });
}

TEST(FairnessTest, TasksThatAreAlwaysReadyDoNotStarveDeadlines) {
  run_with_seeds([] {
    bool stop = false;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          while (!stop) checkpoint();
        });
      }
      sleep(2ms);
      stop = true;
    });
  });
}

TEST(FairnessTest, OperationsThatCompleteAtOnceDoNotStarveOthers) {
  run_with_seeds([] {
    Event set;
    set.set();
    bool other_ran = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other_ran = true; });
      for (int i = 0; i < 10'000 && !other_ran; ++i) set.wait();
      EXPECT_TRUE(other_ran);
    });
  });
}

TEST(FairnessTest, AHandOverChainDoesNotStarveDeadlines) {
  run_with_seeds([] {
    const auto done = move_on_after(2ms, [] {
      struct Turns {
        Event turn[2];
      };
      auto turns = std::make_unique<Turns>();
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          for (;;) {
            turns->turn[0].set();
            checkpoint();
          }
        });
        n.start_soon([&] {
          for (;;) {
            turns->turn[0].wait();
            cancel_shielded_checkpoint();
          }
        });
      });
    });
    EXPECT_FALSE(done);
  });
}

TEST(ThreadsTest, EachThreadHasItsOwnLoop) {
  std::vector<std::thread> threads;
  std::vector<int> results(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i, &results] {
      results[i] = run_tasks([i] {
        int sum = 0;
        open_task_nursery([&](TaskNursery& n) {
          for (int k = 0; k < 100; ++k) {
            n.start_soon([&sum] {
              sleep(100us);
              ++sum;
            });
          }
        });
        return sum + i;
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(results, (std::vector<int>{100, 101, 102, 103}));
}

TEST(ThreadsTest, ManyMoreTasksThanAreKeptForReuse) {
  for (int repeat = 0; repeat < 3; ++repeat) {
    run_tasks([] {
      std::size_t sum = 0;
      for (int round = 0; round < 3; ++round) {
        open_task_nursery([&](TaskNursery& n) {
          for (int k = 0; k < 5'000; ++k) {
            n.start_soon([&sum] {
              checkpoint();
              ++sum;
            });
          }
        });
      }
      EXPECT_EQ(sum, 15'000u);
    });
  }
}

}  // namespace
}  // namespace troupe

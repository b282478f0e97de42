// SPDX-License-Identifier: Apache-2.0

// Clusters, and functions as actors: several processes, and one, as a plain call.

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorNursery;
using troupe::Portal;
using troupe::testing::note;
using troupe::testing::Notebook;

using Portals = std::vector<Portal>;

int pid_of_actor() { return static_cast<int>(getpid()); }
std::string own_name() { return troupe::current_actor().name(); }
int square(int number) { return number * number; }
void throws_out_of_range() { throw std::out_of_range("there are only three acts"); }
void kill_oneself() { raise(SIGKILL); }
void sleep_for_ever() { troupe::sleep_forever(); }
void note_exit(const std::string& path) {
  troupe::current_actor().on_exit([path] { note(path, "left"); });
}
inline const auto& mill = troupe::module<"mill", &pid_of_actor, &own_name, &square,
                                         &throws_out_of_range, &kill_oneself, &note_exit>;

template <class Body>
void in_root(Body body) {
  troupe::open_root_actor({}, body);
}

// CLU-02: a cluster takes work, side by side, and is gone when its block is left.
TEST(ClusterTest, EveryWorkerTakesItsShare) {
  in_root([] {
    std::vector<int> squares(4);
    std::set<int> pids;
    troupe::open_actor_cluster(
        {.count = 4, .enable_modules = {mill}}, [&](ActorNursery& n, const Portals& workers) {
          ASSERT_EQ(workers.size(), 4u);
          for (const Portal& worker : workers) pids.insert(worker.run<&pid_of_actor>());
          for (int i = 0; i < 4; ++i) {  // tasks that go on when the body has ended
            n.start_soon([&squares, &workers, i] { squares[i] = workers[i].run<&square>(i); });
          }
        });
    EXPECT_EQ(pids.size(), 4u);
    for (const int pid : pids) EXPECT_NE(kill(pid, 0), 0);  // reaped
    EXPECT_EQ(squares, (std::vector<int>{0, 1, 4, 9}));
  });
}

TEST(ClusterTest, TheBodyMayTakeThePortalsAloneAndReturnAValue) {
  in_root([] {
    const int sum = troupe::open_actor_cluster(
        {.count = 2, .enable_modules = {mill}}, [](const Portals& workers) {
          return workers[0].run<&square>(3) + workers[1].run<&square>(4);
        });
    EXPECT_EQ(sum, 25);
  });
}

// CLU-04: names are given, or made of the spawner's name and a number; without a count there are as
// many workers as processors.
TEST(ClusterTest, WorkersHaveNamesInOrder) {
  in_root([] {
    troupe::open_actor_cluster({.count = 2, .enable_modules = {mill}}, [](const Portals& workers) {
      EXPECT_EQ(workers[0].run<&own_name>(), "root.worker_0");
      EXPECT_EQ(workers[1].run<&own_name>(), "root.worker_1");
    });
    troupe::open_actor_cluster({.names = {"tom", "jerry"}, .enable_modules = {mill}},
                               [](const Portals& workers) {
                                 ASSERT_EQ(workers.size(), 2u);
                                 EXPECT_EQ(workers[0].run<&own_name>(), "tom");
                                 EXPECT_EQ(workers[1].run<&own_name>(), "jerry");
                               });
    cpu_set_t usable;
    sched_getaffinity(0, sizeof usable, &usable);
    troupe::open_actor_cluster({}, [&](const Portals& workers) {
      EXPECT_EQ(workers.size(), static_cast<std::size_t>(CPU_COUNT(&usable)));
    });
  });
}

// CLU-03: names and count that differ are an error.
TEST(ClusterTest, NamesAndCountThatDifferAreAUsageError) {
  in_root([] {
    EXPECT_THROW(troupe::open_actor_cluster({.count = 3, .names = {"tom", "jerry"}},
                                            [](const Portals&) { FAIL(); }),
                 troupe::UsageError);
    EXPECT_THROW(troupe::open_actor_cluster({.count = -1}, [](const Portals&) { FAIL(); }),
                 troupe::UsageError);
  });
}

TEST(ClusterTest, OfNobodyIsFine) {
  in_root([] {
    troupe::open_actor_cluster({.count = 0},
                               [](const Portals& workers) { EXPECT_TRUE(workers.empty()); });
  });
}

// CLU-01: the body fails at once: its error comes out, and the cluster is torn down.
TEST(ClusterTest, AnErrorOfTheBodyTearsItDown) {
  EXPECT_THROW(in_root([] {
                 troupe::open_actor_cluster({.count = 4}, [](const Portals&) {
                   const std::vector<int> nothing;
                   static_cast<void>(nothing.at(0));
                 });
               }),
               std::out_of_range);
}

// CLU-05: so does an interrupt, here of the scope around it.
TEST(ClusterTest, ACancellationTearsItDown) {
  in_root([] {
    std::vector<int> pids;
    troupe::CancelScope scope;
    scope.run([&] {
      troupe::open_actor_cluster({.count = 3, .enable_modules = {mill}},
                                 [&](const Portals& workers) {
                                   for (const Portal& worker : workers) {
                                     pids.push_back(worker.run<&pid_of_actor>());
                                   }
                                   scope.cancel();
                                   troupe::sleep_forever();
                                 });
    });
    EXPECT_TRUE(scope.cancelled_caught());
    ASSERT_EQ(pids.size(), 3u);
    for (const int pid : pids) EXPECT_NE(kill(pid, 0), 0);
  });
}

TEST(ClusterTest, AnErrorOfOneWorkerCancelsTheOthers) {
  EXPECT_THROW(in_root([] {
                 troupe::open_actor_cluster(
                     {.count = 3, .enable_modules = {mill}}, [](const Portals& workers) {
                       EXPECT_THROW(workers[1].run<&kill_oneself>(), troupe::ActorDied);
                       troupe::sleep_forever();
                     });
               }),
               troupe::ActorDied);
}

// The workers leave in order when the body has ended.
TEST(ClusterTest, WorkersTakeTheirLeave) {
  const Notebook exits;
  in_root([&] {
    troupe::open_actor_cluster({.count = 3, .enable_modules = {mill}}, [&](const Portals& workers) {
      for (const Portal& worker : workers) {
        worker.run<&note_exit>(exits.path());
      }
    });
  });
  EXPECT_EQ(exits.lines().size(), 3u);
}

TEST(ClusterTest, WorkersCanBeRestarted) {
  in_root([] {
    troupe::open_actor_cluster(
        {.count = 2, .enable_modules = {mill}, .supervise = troupe::one_for_one()},
        [](const Portals& workers) {
          EXPECT_THROW(workers[0].run<&kill_oneself>(), troupe::ActorDied);
          EXPECT_EQ(workers[0].run<&square>(5), 25);
        });
  });
}

// Its start is one for all: when a worker cannot be started, there is no cluster.
TEST(ClusterTest, AWorkerThatCannotBeStartedIsSpawnFailed) {
  EXPECT_THROW(in_root([] {
                 troupe::open_actor_cluster({.count = 1, .enable_modules = {"opera"}},
                                            [](const Portals&) { FAIL(); });
               }),
               troupe::SpawnFailed);
}

TEST(ClusterTest, ComesAndGoesManyTimes) {
  in_root([] {
    for (int i = 0; i < 10; ++i) {
      troupe::open_actor_cluster(
          {.count = 3, .enable_modules = {mill}},
          [i](const Portals& workers) { EXPECT_EQ(workers[i % 3].run<&square>(i), i * i); });
    }
  });
}

// ---- to_actor ----

TEST(ToActorTest, IsAPlainCall) {
  in_root([] {
    EXPECT_EQ(troupe::to_actor<&square>(7), 49);
    EXPECT_NE(troupe::to_actor<&pid_of_actor>(), getpid());
    troupe::to_actor<&note_exit>("/dev/null");
  });
}

TEST(ToActorTest, TheActorIsCalledAsTheFunctionOrAsTheOptionsSay) {
  in_root([] {
    EXPECT_EQ(troupe::to_actor<&own_name>(), "own_name");
    EXPECT_EQ(troupe::to_actor<&own_name>({.name = "frank"}), "frank");
  });
}

TEST(ToActorTest, AnErrorComesOutOnce) {
  in_root([] {
    EXPECT_THROW(troupe::to_actor<&throws_out_of_range>(), troupe::RemoteActorError);
    EXPECT_THROW(troupe::to_actor<&kill_oneself>(), troupe::ActorDied);
  });
}

TEST(ToActorTest, EndsWithItsCaller) {
  in_root([] {
    EXPECT_FALSE(troupe::move_on_after(10ms, [] { troupe::to_actor<&sleep_for_ever>(); }));
  });
}

TEST(ToActorTest, ALimiterBoundsWorkInBulk) {
  in_root([] {
    std::vector<int> squares(6);
    troupe::CapacityLimiter limiter(2);
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 6; ++i) {
        n.start_soon([&squares, &limiter, i] {
          limiter.acquire();
          squares[i] = troupe::to_actor<&square>(i);
          limiter.release();
        });
      }
    });
    EXPECT_EQ(std::accumulate(squares.begin(), squares.end(), 0), 55);
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0

// Random cancellations over everything that hands things from task to task: whatever is cancelled,
// and whenever, nothing is lost and nothing comes twice.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/condition.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/merge.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/resource_cache.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/semaphore.h"
#include "troupe/runtime/fiber/testing.h"

namespace troupe {
namespace {

using Random = std::mt19937_64;

// Runs attempts of tasks, each in a scope of its own, and cancels scopes at random.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed) {}

  // One attempt that may be cancelled at any time; whether it came to its end.
  template <class Body>
  bool attempt(Body&& body) {
    CancelScope scope;
    scopes_.push_back(&scope);
    struct Forget {
      std::vector<CancelScope*>& scopes;
      CancelScope* scope;
      ~Forget() { std::erase(scopes, scope); }
    } const forget{scopes_, &scope};
    return static_cast<bool>(scope.run(body));
  }

  // Lets others run, or not.
  void maybe_yield() {
    for (std::uint64_t n = random_() % 3; n > 0; --n) checkpoint();
  }

  // Cancels attempts until `done`.
  void run(const std::function<bool()>& done) {
    while (!done()) {
      checkpoint();
      if (!scopes_.empty() && random_() % 2 == 0) scopes_[random_() % scopes_.size()]->cancel();
    }
  }

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

 private:
  Random random_;
  std::vector<CancelScope*> scopes_;
};

// Runs `body(chaos)` with 20 orders of scheduling and as many orders of cancellations.
template <class Body>
void run_chaos(Body body) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("with schedule_seed " + std::to_string(seed));
    FiberOptions options;
    options.schedule_seed = seed;
    run_tasks(
        [&] {
          Chaos chaos(seed);
          body(chaos);
        },
        options);
  }
}

// Producers send numbers, again when they were cancelled; consumers take them by `receive`.
// `receive` gives a number, or none at the end; it may be cancelled.
void exchange(Chaos& chaos, std::size_t capacity,
              const std::function<std::function<std::optional<int>()>(
                  const MemoryReceiveChannel<int>&, const MemoryReceiveChannel<int>&)>& receiver) {
  constexpr int producers = 4;
  constexpr int consumers = 4;
  constexpr int items = 50;
  auto left = open_memory_channel<int>(capacity);
  auto right = open_memory_channel<int>(capacity);
  std::vector<int> seen(producers * items);
  int running = consumers;
  open_task_nursery([&](TaskNursery& n) {
    for (int p = 0; p < producers; ++p) {
      n.start_soon([&chaos, p, one = left.send, other = right.send] {
        for (int i = 0; i < items; ++i) {
          const auto& send = chaos.draw(2) == 0 ? one : other;
          // When it is cancelled, the value was not sent.
          while (!chaos.attempt([&] { send.send(p * items + i); })) {
          }
          chaos.maybe_yield();
        }
      });
    }
    left.send.close();
    right.send.close();
    for (int c = 0; c < consumers; ++c) {
      n.start_soon([&, one = left.receive, other = right.receive] {
        const auto receive = receiver(one, other);
        for (bool ended = false; !ended;) {
          // When it is cancelled, no value was taken.
          chaos.attempt([&] {
            if (const auto value = receive()) {
              ++seen[*value];
            } else {
              ended = true;
            }
          });
          chaos.maybe_yield();
        }
        --running;
      });
    }
    left.receive.close();
    right.receive.close();
    chaos.run([&] { return running == 0; });
  });
  EXPECT_EQ(seen, std::vector<int>(producers * items, 1));
}

class ChannelStressTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ChannelStressTest, ChannelsLoseNothing) {
  run_chaos([](Chaos& chaos) {
    exchange(chaos, GetParam(), [&chaos](const auto& left, const auto& right) {
      // Alternates between the two, so that both are drained to their ends.
      return [&chaos, left, right, left_ended = false,
              right_ended = false]() mutable -> std::optional<int> {
        for (;;) {
          if (left_ended && right_ended) return std::nullopt;
          const bool use_left = right_ended || (!left_ended && chaos.draw(2) == 0);
          const auto value = (use_left ? left : right).next();
          if (value) return value;
          (use_left ? left_ended : right_ended) = true;
        }
      };
    });
  });
}

TEST_P(ChannelStressTest, MergedEndsLoseNothing) {
  run_chaos([](Chaos& chaos) {
    exchange(chaos, GetParam(), [](const auto& left, const auto& right) {
      auto merged = std::make_shared<MergedReceive<int>>(merge(left, right));
      return [merged] { return merged->next(); };
    });
  });
}

INSTANTIATE_TEST_SUITE_P(Capacities, ChannelStressTest,
                         ::testing::Values(std::size_t{0}, std::size_t{1}, std::size_t{7},
                                           unbounded));

// Tasks that go through `section`, which runs its argument under some limit, while they are
// cancelled; at most `limit` may be inside. Afterwards the thing must be as good as new.
void contend(Chaos& chaos, int limit,
             const std::function<void(const std::function<void()>&)>& section) {
  int inside = 0;
  int passed = 0;
  int running = 6;
  open_task_nursery([&](TaskNursery& n) {
    for (int t = 0; t < 6; ++t) {
      n.start_soon([&] {
        for (int round = 0; round < 40; ++round) {
          chaos.attempt([&] {
            section([&] {
              struct Inside {
                int& count;
                explicit Inside(int& number) : count(number) { ++count; }
                ~Inside() { --count; }
              } const one_more{inside};
              EXPECT_LE(inside, limit);
              ++passed;
              chaos.maybe_yield();
              EXPECT_LE(inside, limit);
            });
          });
          chaos.maybe_yield();
        }
        --running;
      });
    }
    chaos.run([&] { return running == 0; });
  });
  EXPECT_EQ(inside, 0);
  EXPECT_GT(passed, 0);
}

TEST(SyncStressTest, LocksStayUsable) {
  run_chaos([](Chaos& chaos) {
    Lock lock;
    contend(chaos, 1, [&](const auto& body) {
      const std::scoped_lock guard(lock);
      body();
    });
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(lock.statistics().tasks_waiting, 0u);
  });
}

TEST(SyncStressTest, SemaphoresLoseNoUnit) {
  run_chaos([](Chaos& chaos) {
    Semaphore semaphore(2, 2);
    contend(chaos, 2, [&](const auto& body) {
      const std::scoped_lock guard(semaphore);
      body();
    });
    EXPECT_EQ(semaphore.value(), 2u);
  });
}

TEST(SyncStressTest, LimitersLoseNoToken) {
  run_chaos([](Chaos& chaos) {
    CapacityLimiter limiter(2);
    contend(chaos, 2, [&](const auto& body) {
      const std::scoped_lock guard(limiter);
      body();
    });
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
    EXPECT_EQ(limiter.statistics().tasks_waiting, 0u);
  });
}

// Every notification is spent by exactly one task that was not cancelled.
TEST(SyncStressTest, ConditionsLoseNoNotification) {
  run_chaos([](Chaos& chaos) {
    Condition condition;
    int waiting = 0;  // tasks in `wait`, as the notifier sees them under the lock
    int given = 0;
    int got = 0;
    int running = 5;
    open_task_nursery([&](TaskNursery& n) {
      for (int t = 0; t < 5; ++t) {
        n.start_soon([&] {
          for (int round = 0; round < 40; ++round) {
            chaos.attempt([&] {
              const std::scoped_lock guard(condition);
              condition.wait();
              ++got;
            });
            chaos.maybe_yield();
          }
          --running;
        });
      }
      n.start_soon([&] {
        while (running > 0) {
          chaos.attempt([&] {
            const std::scoped_lock guard(condition);
            chaos.maybe_yield();
            waiting = static_cast<int>(condition.statistics().tasks_waiting);
            const int count = std::min(waiting, static_cast<int>(chaos.draw(3)));
            condition.notify(static_cast<std::size_t>(count));
            given += count;
          });
          checkpoint();
        }
      });
      chaos.run([&] { return running == 0; });
    });
    EXPECT_EQ(got, given);
    EXPECT_FALSE(condition.locked());
    EXPECT_EQ(condition.statistics().tasks_waiting, 0u);
  });
}

TEST(SyncStressTest, SharedResourcesAreOpenedAndClosedInTurn) {
  run_chaos([](Chaos& chaos) {
    int open_now = 0;
    int opened = 0;
    int closed = 0;
    int running = 6;
    const auto open = [&](UseResource<int> use) {
      struct Open {
        int& count;
        int& closed;
        Open(int& open, int& gone) : count(open), closed(gone) { EXPECT_EQ(++count, 1); }
        ~Open() {
          EXPECT_EQ(--count, 0);
          ++closed;
        }
      };
      chaos.maybe_yield();
      ++opened;
      const Open one{open_now, closed};
      use(opened);
      chaos.maybe_yield();
    };
    open_task_nursery([&](TaskNursery& n) {
      for (int t = 0; t < 6; ++t) {
        n.start_soon([&] {
          for (int round = 0; round < 30; ++round) {
            chaos.attempt([&] {
              maybe_open_context("key", open, [&](int& number) {
                const int mine = number;
                EXPECT_EQ(open_now, 1);
                chaos.maybe_yield();
                EXPECT_EQ(open_now, 1);
                EXPECT_EQ(mine, opened);
              });
            });
            chaos.maybe_yield();
          }
          --running;
        });
      }
      chaos.run([&] { return running == 0; });
    });
    EXPECT_EQ(open_now, 0);
    EXPECT_EQ(opened, closed);
    EXPECT_GT(opened, 0);
  });
}

}  // namespace
}  // namespace troupe

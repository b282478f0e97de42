// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/resource_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

// Opens and closes numbers, with waiting in both, and counts.
struct Opener {
  int opened = 0;
  int closed = 0;
  bool open_now = false;
  std::exception_ptr error_of_closing;

  auto open(int value = 7) {
    return [this, value](UseResource<int> use) {
      checkpoint();
      ++opened;
      open_now = true;
      int resource = value;
      struct Close {
        Opener& self;
        ~Close() {
          self.open_now = false;
          ++self.closed;
        }
      };
      {
        const Close close{*this};
        use(resource);
        checkpoint();
      }
      if (error_of_closing) std::rethrow_exception(error_of_closing);
    };
  }
};

// RSC-01: given 10 tasks entering the same resource keyed by value or by equal arguments, then it
// is opened once; one task sees miss, 9 see hit; all get the same value.
template <class Key>
void ten_tasks_share_one(Key key) {
  testing::run_with_seeds([&] {
    Opener opener;
    std::vector<const int*> got;
    int hits = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 10; ++i) {
        n.start_soon([&] {
          maybe_open_context(key, opener.open(), [&](int& resource, bool hit) {
            got.push_back(&resource);
            hits += hit ? 1 : 0;
            while (got.size() < 10) checkpoint();
          });
        });
      }
    });
    EXPECT_EQ(opener.opened, 1);
    EXPECT_EQ(opener.closed, 1);
    EXPECT_EQ(hits, 9);
    EXPECT_EQ(got, std::vector<const int*>(10, got.front()));
  });
}

TEST(ResourceCacheTest, IsOpenedOnceForAKeyByValue) { ten_tasks_share_one("the key"); }

TEST(ResourceCacheTest, IsOpenedOnceForEqualArguments) {
  ten_tasks_share_one(std::tuple(std::string("host"), 8080));
}

TEST(ResourceCacheTest, ReturnsWhatTheBodyReturns) {
  run_tasks([] {
    const auto open = [] { return std::make_unique<int>(1); };
    EXPECT_EQ(maybe_open_context("k", open, [](std::unique_ptr<int>& p) { return *p + 1; }), 2);
    EXPECT_EQ(maybe_open_context<int>(
                  "k", [](auto use) { use(3); }, [](auto& number) { return number; }),
              3);
  });
}

// RSC-02: given the last user leaves, then it returns only after the resource's close has finished.
TEST(ResourceCacheTest, TheLastUserWaitsForTheClose) {
  testing::run_with_seeds([] {
    Opener opener;
    Event first_may_leave;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        maybe_open_context(1, opener.open(), [&](int&) { first_may_leave.wait(); });
        EXPECT_TRUE(opener.open_now) << "the first user does not close it";
      });
      wait_all_tasks_blocked();
      maybe_open_context(1, opener.open(), [&](int&) {
        first_may_leave.set();
        wait_all_tasks_blocked();
      });
      EXPECT_FALSE(opener.open_now);
      EXPECT_EQ(opener.closed, 1);
    });
  });
}

// RSC-03: given the resource's close raises, then the last user gets that very error.
TEST(ResourceCacheTest, TheLastUserGetsTheErrorOfTheClose) {
  testing::run_with_seeds([] {
    Opener opener;
    opener.error_of_closing = std::make_exception_ptr(std::out_of_range("cannot close"));
    Event last_is_inside;
    Event first_has_left;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        maybe_open_context(1, opener.open(), [&](int&) { last_is_inside.wait(); });
        first_has_left.set();
      });
      n.start_soon([&] {
        EXPECT_THROW(maybe_open_context(1, opener.open(),
                                        [&](int&) {
                                          last_is_inside.set();
                                          first_has_left.wait();
                                        }),
                     std::out_of_range);
      });
    });
    EXPECT_EQ(opener.closed, 1);
  });
}

TEST(ResourceCacheTest, AnErrorOfTheCloseJoinsThatOfTheBody) {
  run_tasks([] {
    Opener opener;
    opener.error_of_closing = std::make_exception_ptr(std::out_of_range("cannot close"));
    EXPECT_THROW(
        maybe_open_context(1, opener.open(), [](int&) { throw std::length_error("the body's"); }),
        ExceptionGroup);
    opener.error_of_closing = nullptr;
    EXPECT_THROW(
        maybe_open_context(1, opener.open(), [](int&) { throw std::length_error("the body's"); }),
        std::length_error);
  });
}

// RSC-04: given the last user is cancelled while inside, then close still completes before the
// cancellation leaves, and the scope reports caught.
TEST(ResourceCacheTest, ACancelledLastUserStillWaitsForTheClose) {
  testing::run_with_seeds([] {
    Opener opener;
    CancelScope scope;
    scope.run([&] {
      try {
        maybe_open_context(1, opener.open(), [&](int&) {
          scope.cancel();
          sleep_forever();
        });
      } catch (const Cancelled&) {
        EXPECT_EQ(opener.closed, 1);
        throw;
      }
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_EQ(opener.closed, 1);
  });
}

// RSC-05: given close raises while the last user is being cancelled, then the close error replaces
// the cancellation.
TEST(ResourceCacheTest, AnErrorOfTheCloseReplacesACancellation) {
  testing::run_with_seeds([] {
    Opener opener;
    opener.error_of_closing = std::make_exception_ptr(std::out_of_range("cannot close"));
    CancelScope scope;
    EXPECT_THROW(scope.run([&] {
      maybe_open_context(1, opener.open(), [&](int&) {
        scope.cancel();
        sleep_forever();
      });
    }),
                 std::out_of_range);
  });
}

// RSC-06: given user and resource task share a nursery that is cancelled, then no deadlock; close
// runs; the nursery exits.
TEST(ResourceCacheTest, SharingANurseryWithItsUserDoesNotDeadlock) {
  testing::run_with_seeds([] {
    bool closed = false;
    open_task_nursery([&](TaskNursery& shared) {
      const auto open = [&](UseResource<int> use) {
        shared.start_soon([] { sleep_forever(); });  // the resource works in there
        use(1);
        checkpoint();
        closed = true;
      };
      shared.start_soon([&, open] { maybe_open_context(1, open, [](int&) { sleep_forever(); }); });
      wait_all_tasks_blocked();
      shared.cancel();
      shared.wait_all();
    });
    EXPECT_TRUE(closed);
  });
}

// RSC-08: given the first user is cancelled during open (delays 0.05, 0.5, 1 s), then the lock is
// released and waiting users proceed.
TEST(ResourceCacheTest, CancellingTheFirstUserDuringOpenLetsTheOthersProceed) {
  for (const Duration delay : {Duration(50ms), Duration(500ms), Duration(1s)}) {
    testing::VirtualClock clock;
    FiberOptions options;
    options.clock = &clock;
    run_tasks(
        [&] {
          int opened = 0;
          const auto open = [&](UseResource<int> use) {
            sleep(2s);
            ++opened;
            use(1);
          };
          int used = 0;
          open_task_nursery([&](TaskNursery& n) {
            n.start_soon([&] {
              EXPECT_FALSE(move_on_after(delay, [&] {
                maybe_open_context(1, open, [](int&) { ADD_FAILURE() << "it was too late"; });
              }));
            });
            wait_all_tasks_blocked();
            for (int i = 0; i < 3; ++i)
              n.start_soon([&] { maybe_open_context(1, open, [&](int&) { ++used; }); });
          });
          EXPECT_EQ(used, 3);
          EXPECT_EQ(opened, 1);
        },
        options);
  }
}

TEST(ResourceCacheTest, CancellingTheOnlyUserDuringOpenCancelsTheOpening) {
  testing::run_with_seeds([] {
    bool opening_ended = false;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] {
          maybe_open_context(
              1,
              [&](UseResource<int>) {
                struct End {
                  bool& ended;
                  ~End() { ended = true; }
                } const end{opening_ended};
                sleep_forever();
              },
              [](int&) {});
        });
        EXPECT_TRUE(opening_ended);
      });
      wait_all_tasks_blocked();
      scope.cancel();
    });
    EXPECT_TRUE(scope.cancelled_caught());
    Opener opener;
    maybe_open_context(1, opener.open(), [](int&, bool hit) { EXPECT_FALSE(hit); });
  });
}

// RSC-09: given the same factory with different arguments, then the two are independent: closing
// one while the other is alive really closes it, and re-opening is a miss.
TEST(ResourceCacheTest, ResourcesOfDifferentKeysAreIndependent) {
  run_tasks([] {
    Opener opener;
    maybe_open_context(1, opener.open(1), [&](int& one) {
      EXPECT_EQ(one, 1);
      for (int round = 1; round <= 2; ++round) {
        maybe_open_context(2, opener.open(2), [&](int& two, bool hit) {
          EXPECT_EQ(two, 2);
          EXPECT_FALSE(hit);
        });
        EXPECT_EQ(opener.closed, round);
      }
      maybe_open_context(1, opener.open(3), [&](int& same, bool hit) {
        EXPECT_EQ(&same, &one);
        EXPECT_TRUE(hit);
      });
    });
    EXPECT_EQ(opener.opened, 3);
    EXPECT_EQ(opener.closed, 3);
  });
}

// RSC-10: given a task re-enters during the close of the same key, then it waits for the close to
// end and gets a fresh miss.
TEST(ResourceCacheTest, ReEnteringDuringTheCloseIsAFreshMiss) {
  testing::run_with_seeds([] {
    int open_now = 0;
    Event closing;
    Event may_close;
    const auto open = [&](UseResource<int> use) {
      EXPECT_EQ(++open_now, 1);
      use(1);
      closing.set();
      may_close.wait();
      --open_now;
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { maybe_open_context(1, open, [](int&) {}); });
      closing.wait();
      n.start_soon([&] {
        maybe_open_context(1, open, [&](int&, bool hit) {
          EXPECT_FALSE(hit);
          EXPECT_EQ(open_now, 1);
        });
      });
      wait_all_tasks_blocked();
      may_close.set();
    });
    EXPECT_EQ(open_now, 0);
  });
}

// RSC-11: given resource acquisition fails, then the opener gets the error, and nothing is cached.
TEST(ResourceCacheTest, AFailureToOpenIsTheOpenersAndIsNotCached) {
  testing::run_with_seeds([] {
    int attempts = 0;
    const auto open = [&](UseResource<int> use) {
      checkpoint();
      if (++attempts == 1) throw std::out_of_range("cannot open");
      use(1);
    };
    int failed = 0;
    int misses = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          try {
            maybe_open_context(1, open, [&](int&, bool hit) { misses += hit ? 0 : 1; });
          } catch (const std::out_of_range&) {
            ++failed;
          }
        });
      }
    });
    EXPECT_EQ(failed, 1);
    EXPECT_GE(misses, 1);
  });
}

TEST(ResourceCacheTest, AFailureWhoseOpenerHasLeftGoesToAWaiter) {
  testing::run_with_seeds([] {
    Event may_fail;
    CancelScope scope;
    int failed = 0;
    const auto open = [&](UseResource<int>) {
      may_fail.wait();
      throw std::out_of_range("cannot open");
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { scope.run([&] { maybe_open_context(1, open, [](int&) {}); }); });
      wait_all_tasks_blocked();
      n.start_soon([&] {
        EXPECT_THROW(maybe_open_context(1, open, [](int&) {}), std::out_of_range);
        ++failed;
      });
      wait_all_tasks_blocked();
      scope.cancel();
      wait_all_tasks_blocked();
      may_fail.set();
    });
    EXPECT_EQ(failed, 1);
  });
}

TEST(ResourceCacheTest, AnOpenerThatDoesNotLendIsAUsageError) {
  run_tasks([] {
    EXPECT_THROW(maybe_open_context(
                     1, [](UseResource<int>) {}, [](int&) {}),
                 UsageError);
    EXPECT_THROW(maybe_open_context(
                     1,
                     [](UseResource<int> use) {
                       use(1);
                       use(2);
                     },
                     [](int&) {}),
                 UsageError);
  });
}

// A resource that fails while it is used takes its users along, and its error is not lost.
TEST(ResourceCacheTest, ItsUsersEndWithAResourceThatFails) {
  testing::run_with_seeds([] {
    Event fail;
    int told = 0;
    const auto open = [&](UseResource<int> use) {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          fail.wait();
          throw std::out_of_range("the connection broke");
        });
        use(1);
        n.cancel();
      });
    };
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          EXPECT_THROW(maybe_open_context(1, open, [](int&) { sleep_forever(); }),
                       std::out_of_range);
          ++told;
        });
      }
      wait_all_tasks_blocked();
      fail.set();
    });
    EXPECT_EQ(told, 3);
  });
}

TEST(ResourceCacheTest, AResourceThatEndsByItselfBreaksItsUsers) {
  testing::run_with_seeds([] {
    CancelScope life;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        EXPECT_THROW(maybe_open_context(
                         1, [&](UseResource<int> use) { life.run([&] { use(1); }); },
                         [](int&) { sleep_forever(); }),
                     BrokenChannel);
      });
      wait_all_tasks_blocked();
      life.cancel();
    });
  });
}

// A closing part that waits for ever is a deadlock as any other, with its report.
TEST(ResourceCacheTest, ADeadlockOfTheCloseIsReported) {
  testing::VirtualClock clock;
  FiberOptions options;
  options.clock = &clock;
  const auto open = [](UseResource<int> use) {
    int resource = 1;
    use(resource);
    Event().wait();
  };
  EXPECT_THROW(run_tasks([&] { maybe_open_context<int>("key", open, [](int&) {}); }, options),
               DeadlockError);
}

TEST(ResourceCacheTest, EveryRunHasItsOwn) {
  Opener opener;
  for (int i = 1; i <= 2; ++i) {
    run_tasks(
        [&] { maybe_open_context(1, opener.open(), [](int&, bool hit) { EXPECT_FALSE(hit); }); });
    EXPECT_EQ(opener.closed, i);
  }
}

}  // namespace
}  // namespace troupe

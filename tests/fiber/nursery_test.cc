// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/nursery.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"
#include "troupe/tests/fiber/valgrind.h"

namespace troupe {
namespace {

using testing::run_with_seeds;

TEST(NurseryTest, ReturnsWhatTheBodyReturns) {
  run_tasks([] { EXPECT_EQ(open_task_nursery([](TaskNursery&) { return 42; }), 42); });
}

TEST(NurseryTest, WaitsForAllChildren) {
  run_with_seeds([] {
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          checkpoint();
          ++ended;
        });
      }
    });
    EXPECT_EQ(ended, 3);
  });
}

// T-NUR-03, adapted: an error in the body or in a child comes out as itself when it is the only
// one.
TEST(NurseryTest, OneErrorLeavesAsItself) {
  run_with_seeds([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.start_soon([] { throw std::out_of_range("child's"); });
                 }),
                 std::out_of_range);
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   n.start_soon([] { sleep_forever(); });
                   throw std::out_of_range("body's");
                 }),
                 std::out_of_range);
  });
}

// T-NUR-04: given body and child both err, or two children, then the group has both.
TEST(NurseryTest, TwoErrorsLeaveAsAGroup) {
  run_with_seeds([] {
    try {
      open_task_nursery([](TaskNursery& n) {
        n.start_soon([] { throw std::out_of_range("child's"); });
        n.start_soon([] { throw std::logic_error("other child's"); });
      });
      FAIL() << "nothing was thrown";
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
      EXPECT_NE(std::string(group.what()).find("other child's"), std::string::npos);
    }
  });
}

TEST(NurseryTest, ErrorsOfBodyAndChildLeaveAsAGroup) {
  run_with_seeds([] {
    try {
      open_task_nursery([](TaskNursery& n) {
        n.start_soon([] { throw std::out_of_range("child's"); });
        throw std::logic_error("body's");
      });
      FAIL() << "nothing was thrown";
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
  });
}

// T-NUR-05: given a child errs while the body blocks, then the body is woken by cancel.
TEST(NurseryTest, ChildErrorWakesTheBody) {
  run_with_seeds([] {
    bool woken = false;
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon([] { throw std::out_of_range("child's"); });
                   try {
                     sleep_forever();
                   } catch (const Cancelled&) {
                     woken = true;
                     throw;
                   }
                 }),
                 std::out_of_range);
    EXPECT_TRUE(woken);
  });
}

// T-NUR-06: given a child errs, then siblings get cancelled at their next checkpoint before the
// block exits.
TEST(NurseryTest, ChildErrorCancelsSiblings) {
  run_with_seeds([] {
    int cancelled = 0;
    const auto sibling = [&] {
      try {
        sleep_forever();
      } catch (const Cancelled&) {
        ++cancelled;
        throw;
      }
    };
    EXPECT_THROW(open_task_nursery([&](TaskNursery& n) {
                   n.start_soon(sibling);
                   n.start_soon([] { throw std::out_of_range("child's"); });
                   n.start_soon(sibling);
                 }),
                 std::out_of_range);
    EXPECT_EQ(cancelled, 2);
  });
}

// T-NUR-07: given two looping tasks, then they interleave at each checkpoint.
TEST(NurseryTest, TasksInterleaveAtEachCheckpoint) {
  run_with_seeds([] {
    std::vector<int> order;
    open_task_nursery([&](TaskNursery& n) {
      for (int who : {0, 1}) {
        n.start_soon([&, who] {
          for (int i = 0; i < 10; ++i) {
            order.push_back(who);
            checkpoint();
          }
        });
      }
    });
    ASSERT_EQ(order.size(), 20u);
    for (std::size_t i = 0; i < 20; i += 2) EXPECT_NE(order[i], order[i + 1]) << i;
  });
}

// T-NUR-08: given a task started into an already-cancelled nursery, then it starts and is cancelled
// at its first checkpoint.
TEST(NurseryTest, TaskOfACancelledNurseryStarts) {
  run_with_seeds([] {
    bool started = false;
    bool went_on = false;
    open_task_nursery([&](TaskNursery& n) {
      n.cancel();
      n.start_soon([&] {
        started = true;
        checkpoint();
        went_on = true;
      });
    });
    EXPECT_TRUE(started);
    EXPECT_FALSE(went_on);
  });
}

// T-NUR-15: given a nursery entered and left, then it is a schedule point but no cancel point by
// itself. (A schedule point as every operation that can complete at once: it spends the budget.)
TEST(NurseryTest, AnEmptyNurseryLetsOthersRun) {
  run_with_seeds([] {
    bool other_ran = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other_ran = true; });
      for (int i = 0; i < 10'000 && !other_ran; ++i) open_task_nursery([](TaskNursery&) {});
      EXPECT_TRUE(other_ran);
    });
  });
}

TEST(NurseryTest, AnEmptyNurseryIsNoCancelPoint) {
  run_tasks([] {
    CancelScope scope;
    const auto done = scope.run([&] {
      scope.cancel();
      open_task_nursery([](TaskNursery&) {});
    });
    EXPECT_TRUE(done);
  });
}

// T-NUR-26, adapted: wrong kinds of callables are refused by concepts.
template <class Fn>
concept CanStart = requires(TaskNursery& n, Fn fn) {
  n.start_soon(std::move(fn));
};

TEST(NurseryTest, RefusesWrongCallables) {
  EXPECT_TRUE((CanStart<void (*)()>));
  EXPECT_TRUE((CanStart<int (*)()>)) << "values are dropped";
  EXPECT_FALSE((CanStart<void (*)(int)>)) << "nobody gives it its argument";
  EXPECT_FALSE((CanStart<int>));
  EXPECT_FALSE((CanStart<std::string>));
}

// T-NUR-27, adapted: nurseries cannot be made, copied or moved; cancel scopes and Cancelled cannot
// be subclassed.
TEST(NurseryTest, CannotBeMadeByUsers) {
  EXPECT_FALSE(std::is_default_constructible_v<TaskNursery>);
  EXPECT_FALSE(std::is_copy_constructible_v<TaskNursery>);
  EXPECT_FALSE(std::is_move_constructible_v<TaskNursery>);
  EXPECT_TRUE(std::is_final_v<CancelScope>);
  EXPECT_TRUE(std::is_final_v<Cancelled>);
  EXPECT_FALSE(std::is_default_constructible_v<Cancelled>);
}

TEST(NurseryTest, ChildrenCanStartSiblingsWhileTheBodyHasEnded) {
  run_with_seeds([] {
    int ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        checkpoint();
        n.start_soon([&] {
          checkpoint();
          n.start_soon([&] { ++ended; });
          ++ended;
        });
        ++ended;
      });
    });
    EXPECT_EQ(ended, 3);
  });
}

TEST(NurseryTest, StartingIntoAnEndedOneIsAUsageError) {
  run_tasks([] {
    TaskNursery* kept = nullptr;
    open_task_nursery([&](TaskNursery& n) { kept = &n; });
    EXPECT_THROW(kept->start_soon([] {}), UsageError);
    EXPECT_THROW(kept->start([](TaskStatus<void>& status) { status.started(); }), UsageError);
    EXPECT_THROW(kept->wait_all(), UsageError);
    EXPECT_EQ(kept->child_count(), 0u);
    kept->cancel();  // cancels nothing
    checkpoint();
  });
}

// What else may go wrong.

struct ThrowsOnCopy {
  explicit ThrowsOnCopy(bool throws) : throws_on_copy(throws) {}
  ThrowsOnCopy(const ThrowsOnCopy& other) : throws_on_copy(other.throws_on_copy) {
    if (throws_on_copy) throw std::bad_alloc();
  }
  void operator()() const {}
  bool throws_on_copy;
};

// A nursery without children lets others run before it is left: they may start some then.
TEST(NurseryTest, ChildrenThatComeAtTheLastMomentAreAwaitedToo) {
  run_with_seeds([] {
    TaskNursery* open = nullptr;
    bool stop = false;
    int running = 0;
    int late = 0;
    open_task_nursery([&](TaskNursery& outer) {
      outer.start_soon("latecomer's parent", [&] {
        for (; !stop; cancel_shielded_checkpoint()) {
          if (TaskNursery* const nursery = std::exchange(open, nullptr)) {
            try {
              nursery->start_soon("latecomer", [&] {
                ++running;
                ++late;
                cancel_shielded_checkpoint();
                cancel_shielded_checkpoint();
                --running;
              });
            } catch (const UsageError&) {  // it has ended
            }
          }
        }
      });
      for (int i = 0; i < 600; ++i) {
        open_task_nursery([&](TaskNursery& n) {
          open = &n;
          if (i % 2 == 0) return;
          n.wait_all();
          EXPECT_EQ(n.child_count(), 0u);
        });
        EXPECT_EQ(running, 0);
      }
      stop = true;
    });
    EXPECT_GT(late, 0);
  });
}

TEST(NurseryTest, AClosureThatCannotBeCopiedStartsNothing) {
  run_tasks([] {
    open_task_nursery([](TaskNursery& n) {
      const ThrowsOnCopy bad(true);
      EXPECT_THROW(n.start_soon(bad), std::bad_alloc);
      EXPECT_EQ(n.child_count(), 0u);
      const ThrowsOnCopy good(false);
      n.start_soon(good);
      EXPECT_EQ(n.child_count(), 1u);
    });
  });
}

TEST(NurseryTest, AClosuresDestructorMayWait) {
  run_with_seeds([] {
    int destroyed = 0;
    struct Waits {
      explicit Waits(int& counter) : counter_(&counter) {}
      Waits(Waits&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
      ~Waits() {
        if (counter_ == nullptr) return;
        cancel_shielded_checkpoint();
        ++*counter_;
      }
      int* counter_;
    };
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 3; ++i) n.start_soon([waits = Waits(destroyed)] {});
    });
    EXPECT_EQ(destroyed, 3) << "the nursery ended before its tasks' closures were gone";
  });
}

TEST(NurseryTest, MoveOnlyAndLargeClosuresRun) {
  run_tasks([] {
    int sum = 0;
    struct Large {
      char octets[1000] = {};
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&sum, one = std::make_unique<int>(1)] { sum += *one; });
      n.start_soon([&sum, large = Large{}] { sum += static_cast<int>(sizeof large) / 1000; });
      struct alignas(64) Aligned {
        int value = 1;
      };
      n.start_soon([&sum, aligned = Aligned{}] {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&aligned) % 64, 0u);
        sum += aligned.value;
      });
    });
    EXPECT_EQ(sum, 3);
  });
}

TEST(NurseryTest, StacksRunningOutIsBadAlloc) {
  FiberOptions options;
  options.stack_size = std::size_t{1} << 45;  // two of them do not fit below 2^47
  EXPECT_THROW(run_tasks(
                   [] {
                     open_task_nursery([](TaskNursery& n) {
                       for (int i = 0; i < 10; ++i) n.start_soon([] { sleep_forever(); });
                     });
                   },
                   options),
               std::bad_alloc);
}

TEST(NurseryTest, ThrownValuesOfAnyTypeLeave) {
  run_tasks([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) { n.start_soon([] { throw 42; }); }), int);
    try {
      open_task_nursery([](TaskNursery& n) {
        n.start_soon([] { throw 42; });
        n.start_soon([] { throw std::string("text"); });
      });
      FAIL();
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
  });
}

TEST(NurseryTest, ErrorsRightAfterErrorsAreAllKept) {
  run_with_seeds([] {
    try {
      open_task_nursery([](TaskNursery& n) {
        for (int i = 0; i < 100; ++i) n.start_soon([] { throw std::runtime_error("one of many"); });
      });
      FAIL();
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 100u);
    }
  });
}

TEST(NurseryTest, ManyChildrenCostLinearTime) {
  // valgrind looks for a stack among all that it knows, one by one.
  const std::size_t children = testing::under_valgrind() ? 1'000 : 100'000;
  run_tasks([&] {
    std::size_t ended = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (std::size_t i = 0; i < children; ++i) {
        n.start_soon([&ended] {
          checkpoint();
          ++ended;
        });
      }
    });
    EXPECT_EQ(ended, children);
  });
}

}  // namespace
}  // namespace troupe

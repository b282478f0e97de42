// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/generator.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using Numbers = MemoryReceiveChannel<int>;
using Sink = MemorySendChannel<int>;

void count_to_three(Sink& send) {
  for (int i = 1; i <= 3; ++i) send.send(i);
}

// T-CHN-10, adapted to fibers: given a generator wrapped as a channel, then errors, cancels, early
// close, nested loops behave; cleanup runs in the wrapper's block; a race between yield and raise
// does not lose the error.
TEST(GeneratorTest, GivesItsValuesAndEnds) {
  testing::run_with_seeds([] {
    std::vector<int> got;
    const int result = open_generator<int>(&count_to_three, [&](Numbers& numbers) {
      for (const int n : numbers) got.push_back(n);
      return 42;
    });
    EXPECT_EQ(got, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(result, 42);
  });
}

// T-CHN-10: errors.
TEST(GeneratorTest, ItsErrorCancelsTheBodyAndLeaves) {
  testing::run_with_seeds([] {
    bool came_to_an_end = false;
    EXPECT_THROW(open_generator<int>(
                     [](Sink& send) {
                       send.send(1);
                       throw std::out_of_range("the generator's");
                     },
                     [&](Numbers& numbers) {
                       for (const int n : numbers) EXPECT_EQ(n, 1);
                       came_to_an_end = true;
                     }),
                 std::out_of_range);
    EXPECT_FALSE(came_to_an_end) << "an error is no end";
  });
}

// T-CHN-10: errors of the body.
TEST(GeneratorTest, AnErrorOfTheBodyCancelsIt) {
  testing::run_with_seeds([] {
    bool cleaned_up = false;
    const auto generate = [&](Sink& send) {
      struct CleanUp {
        bool& done;
        ~CleanUp() { done = true; }
      } const clean_up{cleaned_up};
      for (int i = 0;; ++i) send.send(i);
    };
    EXPECT_THROW(open_generator<int>(generate,
                                     [](Numbers& numbers) {
                                       numbers.receive();
                                       throw std::out_of_range("the body's");
                                     }),
                 std::out_of_range);
    EXPECT_TRUE(cleaned_up);
  });
}

// T-CHN-10: early close; cleanup, which may wait, has run when the block is left.
TEST(GeneratorTest, CleanupRunsInTheBlock) {
  testing::run_with_seeds([] {
    bool cleaned_up = false;
    open_generator<int>(
        [&](Sink& send) {
          try {
            for (int i = 0;; ++i) send.send(i);
          } catch (const Cancelled&) {
            CancelScope shield({.shield = true});
            shield.run([] { checkpoint(); });
            cleaned_up = true;
            throw;
          }
        },
        [](Numbers& numbers) {
          for (const int n : numbers) {
            if (n == 2) break;
          }
        });
    EXPECT_TRUE(cleaned_up);
  });
}

// T-CHN-10: cancels.
TEST(GeneratorTest, CancellationFromOutsideReachesBoth) {
  testing::run_with_seeds([] {
    bool generator_cancelled = false;
    CancelScope scope;
    scope.run([&] {
      open_generator<int>(
          [&](Sink& send) {
            try {
              send.send(1);
              sleep_forever();
            } catch (const Cancelled&) {
              generator_cancelled = true;
              throw;
            }
          },
          [&](Numbers& numbers) {
            numbers.receive();
            scope.cancel();
            numbers.receive();
          });
    });
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_TRUE(generator_cancelled);
  });
}

// T-CHN-10: nested loops.
TEST(GeneratorTest, LoopsMayBeNested) {
  testing::run_with_seeds([] {
    std::vector<int> got;
    open_generator<int>(&count_to_three, [&](Numbers& outer) {
      for (const int o : outer) {
        open_generator<int>(&count_to_three, [&](Numbers& inner) {
          for (const int i : inner) got.push_back(10 * o + i);
        });
      }
    });
    EXPECT_EQ(got, (std::vector<int>{11, 12, 13, 21, 22, 23, 31, 32, 33}));
  });
}

// T-CHN-10: a race between yield and raise does not lose the error: the body leaves with the value
// while the generator is on its way to raise.
TEST(GeneratorTest, AnErrorRightBehindTheLastValueIsNotLost) {
  run_tasks([] {
    EXPECT_THROW(open_generator<int>(
                     [](Sink& send) {
                       send.send(1);
                       throw std::out_of_range("right behind");
                     },
                     [](Numbers& numbers) { EXPECT_EQ(numbers.receive(), 1); }),
                 std::out_of_range);
  });
}

TEST(GeneratorTest, BothErrorsLeaveAsAGroup) {
  run_tasks([] {
    try {
      open_generator<int>(
          [](Sink& send) {
            send.send(1);
            throw std::out_of_range("the generator's");
          },
          [](Numbers& numbers) {
            numbers.receive();
            throw std::logic_error("the body's");
          });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
  });
}

}  // namespace
}  // namespace troupe

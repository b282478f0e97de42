// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/gather.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/gather_contexts.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

// TRI-08: values come in input order.
TEST(GatherTest, ValuesComeInOrderOfTheFunctions) {
  testing::run_with_seeds([] {
    Event second_is_done;
    const auto [first, second, third] = gather(
        [&] {
          second_is_done.wait();  // all run at once
          return 1;
        },
        [&] {
          second_is_done.set();
          return std::make_unique<std::string>("two");
        },
        [] {});
    EXPECT_EQ(first, 1);
    EXPECT_EQ(*second, "two");
    EXPECT_EQ(third, std::monostate());
  });
}

TEST(GatherTest, TakesARangeOfFunctions) {
  testing::run_with_seeds([] {
    std::vector<std::function<int()>> functions;
    for (int i = 0; i < 10; ++i) {
      functions.push_back([i] {
        checkpoint();
        return i;
      });
    }
    EXPECT_EQ(gather(functions), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    const std::vector<void (*)()> without_values(2, [] {});
    EXPECT_EQ(gather(without_values).size(), 2u);
  });
}

TEST(GatherTest, TheFirstErrorCancelsTheOthers) {
  run_tasks([] {
    EXPECT_THROW(gather([] { sleep_forever(); }, []() -> int { throw std::out_of_range("one's"); }),
                 std::out_of_range);
  });
}

// TRI-07: given an empty list to gather, then a value error, not a hang.
TEST(GatherTest, IsACheckpoint) {
  run_tasks([] {
    testing::assert_checkpoints([] { gather([] {}, [] {}); });
    testing::assert_checkpoints(
        [] { gather(std::vector<std::function<int()>>{[] { return 1; }}); });
  });
}

TEST(GatherTest, NothingToGatherIsAUsageError) {
  run_tasks([] { EXPECT_THROW(gather(std::vector<std::function<int()>>()), UsageError); });
}
template <class... Fns>
concept CanGather = requires(Fns... fns) {
  gather(fns...);
};
static_assert(!CanGather<> && CanGather<void (*)()>);

// A scope function whose opening and closing are checkpoints, and which writes down what it does.
struct Recorder {
  std::vector<std::string> log;
  Event all_closing;
  int closing = 0;

  auto opener(std::string name) {
    return [this, name](UseResource<std::string> use) {
      checkpoint();
      log.push_back("open " + name);
      std::string value = name;
      use(value);
      if (++closing == 3) all_closing.set();
      all_closing.wait();  // that of all others goes on meanwhile
      log.push_back("close " + name);
    };
  }
};

// TRI-08: given gather of n managers, then values come in input order after all entered; exit is
// concurrent.
TEST(GatherContextsTest, AllAreOpenWhenTheBodyRunsAndCloseAtOnce) {
  testing::run_with_seeds([] {
    Recorder recorder;
    const std::string all = gather_contexts(
        [&](std::string& a, std::string& b, std::string& c) {
          EXPECT_EQ(recorder.log.size(), 3u);
          recorder.log.push_back("body");
          return a + b + c;
        },
        recorder.opener("a"), recorder.opener("b"), recorder.opener("c"));
    EXPECT_EQ(all, "abc");
    EXPECT_EQ(recorder.log.size(), 7u);
    EXPECT_EQ(recorder.log[3], "body");
  });
}

TEST(GatherContextsTest, OpenersMayReturnWhatTheyOpen) {
  run_tasks([] {
    const auto sum = gather_contexts([](auto& a, auto& b) { return *a + b; },
                                     [] { return std::make_unique<int>(1); }, [] { return 2; });
    EXPECT_EQ(sum, 3);
  });
}

TEST(GatherContextsTest, AnErrorOfOpeningCancelsTheOthers) {
  testing::run_with_seeds([] {
    bool body_ran = false;
    bool closed = false;
    EXPECT_THROW(gather_contexts([&](int&, int&) { body_ran = true; },
                                 [&](UseResource<int> use) {
                                   struct Close {
                                     bool& done;
                                     ~Close() { done = true; }
                                   } const close{closed};
                                   use(1);
                                 },
                                 [](UseResource<int>) {
                                   checkpoint();
                                   throw std::out_of_range("cannot open");
                                 }),
                 std::out_of_range);
    EXPECT_FALSE(body_ran);
    EXPECT_TRUE(closed);
  });
}

TEST(GatherContextsTest, AnOpenerThatDoesNotLendIsAUsageError) {
  run_tasks(
      [] { EXPECT_THROW(gather_contexts([](int&) {}, [](UseResource<int>) {}), UsageError); });
}

// TRI-03: given two channels opened by concurrent managers whose close is a checkpoint, when the
// body raises interrupt, then only the interrupt comes out.
TEST(GatherContextsTest, OnlyTheErrorOfTheBodyComesOut) {
  struct Interrupt : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  testing::run_with_seeds([] {
    const auto open_channel = [](UseResource<MemoryChannel<int>> use) {
      auto channel = open_memory_channel<int>(1);
      struct Close {  // closing waits, and so raises Cancelled when everything is cancelled
        static void now(MemoryChannel<int>& channel) {
          channel.send.close();
          channel.receive.close();
          checkpoint();
        }
      };
      try {
        use(channel);
      } catch (const Cancelled&) {
        Close::now(channel);
        throw;
      }
      Close::now(channel);
    };
    EXPECT_THROW(gather_contexts(
                     [](MemoryChannel<int>& a, MemoryChannel<int>& b) {
                       a.send.send(1);
                       b.send.send(a.receive.receive());
                       throw Interrupt("ctrl-c");
                     },
                     open_channel, open_channel),
                 Interrupt);
  });
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

// T-NUR-22: given callbacks queued from any thread, then they run in FIFO order, once each,
// idempotent ones coalesced, cannot starve tasks, survive 1000s, error after the run is finished,
// and a crash in one does not stop the others but fails the run.

#include "troupe/runtime/fiber/loop_token.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

TEST(LoopTokenTest, FunctionsOfOneThreadRunInOrder) {
  run_with_seeds([] {
    std::vector<int> order;
    Event last;
    const LoopToken token = current_token();
    std::thread poster([&] {
      for (int i = 0; i < 2000; ++i) token.post([&order, i] { order.push_back(i); });
      token.post([&] { last.set(); });
    });
    last.wait();
    poster.join();
    ASSERT_EQ(order.size(), 2000u);
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(order[i], i);
  });
}

TEST(LoopTokenTest, FunctionsOfManyThreadsRunOnceEach) {
  run_tasks([] {
    constexpr int threads = 4;
    constexpr int each = 2000;
    std::vector<int> seen(threads * each);
    int count = 0;
    Event all;
    std::vector<std::thread> posters;
    const LoopToken token = current_token();
    for (int who = 0; who < threads; ++who) {
      posters.emplace_back([&, who] {
        for (int i = 0; i < each; ++i) {
          token.post([&, index = who * each + i] {
            ++seen[index];
            if (++count == threads * each) all.set();
          });
        }
      });
    }
    all.wait();
    for (std::thread& poster : posters) poster.join();
    for (const int times : seen) EXPECT_EQ(times, 1);
  });
}

TEST(LoopTokenTest, WakesALoopThatSleeps) {
  run_tasks([] {
    Event woken;
    const LoopToken token = current_token();
    std::thread poster([&] { token.post([&] { woken.set(); }); });
    woken.wait();
    poster.join();
  });
}

TEST(LoopTokenTest, EqualWakeUpsAreCoalesced) {
  run_tasks([] {
    static int calls = 0;
    calls = 0;
    int one = 0;
    int other = 0;
    const auto count = [](void* counter) {
      ++calls;
      ++*static_cast<int*>(counter);
    };
    const LoopToken token = current_token();
    for (int i = 0; i < 1000; ++i) {
      token.post_once(count, &one);
      token.post_once(count, &other);
    }
    while (calls < 2) checkpoint();
    for (int i = 0; i < 10; ++i) checkpoint();
    EXPECT_EQ(one, 1);
    EXPECT_EQ(other, 1);
    token.post_once(count, &one);  // the first has run, so this is another one
    while (calls < 3) checkpoint();
    EXPECT_EQ(one, 2);
  });
}

TEST(LoopTokenTest, MayPostFromWithinAPostedFunction) {
  run_with_seeds([] {
    Event done;
    const LoopToken token = current_token();
    int depth = 0;
    std::function<void()> again = [&] {
      if (++depth == 1000) return done.set();
      token.post([&] { again(); });
    };
    token.post([&] { again(); });
    done.wait();
    EXPECT_EQ(depth, 1000);
  });
}

TEST(LoopTokenTest, FunctionsDoNotStarveTasks) {
  run_with_seeds([] {
    const LoopToken token = current_token();
    bool stop = false;
    std::function<void()> for_ever = [&] {
      if (!stop) token.post([&] { for_ever(); });
    };
    for_ever();
    for (int i = 0; i < 100; ++i) checkpoint();
    sleep(1ms);
    stop = true;
    for (int i = 0; i < 3; ++i) checkpoint();
  });
}

TEST(LoopTokenTest, PostingAfterTheRunIsAUsageError) {
  std::optional<LoopToken> token;
  run_tasks([&] { token = current_token(); });
  EXPECT_THROW(token->post([] {}), UsageError);
  EXPECT_THROW(token->post_once([](void*) {}, nullptr), UsageError);
  run_tasks([&] { EXPECT_THROW(token->post([] {}), UsageError); });
}

TEST(LoopTokenTest, HasNoneOutsideOfATask) { EXPECT_THROW(current_token(), UsageError); }

TEST(LoopTokenTest, AnErrorFailsTheRunButStopsNoOther) {
  for (const bool main_waits : {false, true}) {
    std::vector<int> ran;
    EXPECT_THROW(run_tasks([&] {
                   const LoopToken token = current_token();
                   token.post([&] { ran.push_back(1); });
                   token.post([] { throw std::out_of_range("posted"); });
                   token.post([&] { ran.push_back(2); });
                   if (main_waits) sleep_forever();
                 }),
                 std::out_of_range);
    EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  }
}

TEST(LoopTokenTest, SeveralErrorsLeaveTheRunAsAGroup) {
  EXPECT_THROW(run_tasks([] {
                 const LoopToken token = current_token();
                 token.post([] { throw std::out_of_range("one"); });
                 token.post([] { throw std::logic_error("two"); });
                 sleep_forever();
               }),
               ExceptionGroup);
}

// While main unwinds from such an error, other threads can still hand in their results.
TEST(LoopTokenTest, FunctionsRunWhileTheRunFails) {
  bool cleaned_up = false;
  EXPECT_THROW(run_tasks([&] {
                 const LoopToken token = current_token();
                 token.post([] { throw std::out_of_range("posted"); });
                 try {
                   sleep_forever();
                 } catch (const Cancelled&) {
                   Event result;
                   std::thread thread([&] { token.post([&] { result.set(); }); });
                   CancelScope shield({.shield = true});
                   shield.run([&] { result.wait(); });
                   thread.join();
                   cleaned_up = true;
                   throw;
                 }
               }),
               std::out_of_range);
  EXPECT_TRUE(cleaned_up);
}

// What post has accepted is run, also at the very end.
TEST(LoopTokenTest, NothingAcceptedIsLostAtTheEnd) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> accepted{0};
    int ran = 0;
    std::thread poster;
    std::atomic<bool> running{false};
    run_tasks([&] {
      poster = std::thread([&, token = current_token()] {
        running = true;
        try {
          for (;;) {
            token.post([&] { ++ran; });
            ++accepted;
          }
        } catch (const UsageError&) {
        }
      });
      while (!running) checkpoint();
      sleep(100us);
    });
    poster.join();
    EXPECT_EQ(ran, accepted.load());
  }
}

TEST(LoopTokenTest, ClosuresThatPostWhenTheyDieAreSafe) {
  std::optional<LoopToken> token;
  struct PostsInDestructor {
    std::optional<LoopToken>* token;
    ~PostsInDestructor() {
      try {
        (*token)->post([] {});
      } catch (const UsageError&) {
      }
    }
  };
  run_tasks([&] {
    token = current_token();
    auto posts = std::make_shared<PostsInDestructor>(PostsInDestructor{&token});
    token->post([posts = std::move(posts)] {});
  });
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/thread_cache.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <semaphore>
#include <thread>

#include "troupe/runtime/fiber/signal_wait.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/thread.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using detail::idle_cached_threads;
using detail::run_on_cached_thread;

pid_t thread_of_some_work() {
  pid_t id = 0;
  std::binary_semaphore done{0};
  run_on_cached_thread([&] {
    id = ::gettid();
    done.release();
  });
  done.acquire();
  return id;
}

void wait_until_idle(std::size_t threads) {
  while (idle_cached_threads() != threads) std::this_thread::yield();
}

class ThreadCacheTest : public ::testing::Test {
 protected:
  // Each test begins with an empty cache.
  void SetUp() override {
    detail::set_cached_thread_expiry(0ns);
    while (detail::cached_threads() > 0) std::this_thread::yield();
    detail::set_cached_thread_expiry(1h);
  }
  void TearDown() override { SetUp(); }
};

// T-THR-10: idle cached threads are reused.
TEST_F(ThreadCacheTest, IdleThreadsAreReused) {
  const pid_t first = thread_of_some_work();
  wait_until_idle(1);
  EXPECT_EQ(thread_of_some_work(), first);
}

// T-THR-10: the thread that became idle last is reused first.
TEST_F(ThreadCacheTest, TheLastOneInIsTheFirstOneOut) {
  std::binary_semaphore go_first{0};
  std::binary_semaphore go_second{0};
  pid_t first = 0;
  pid_t second = 0;
  run_on_cached_thread([&] { first = ::gettid(), go_first.acquire(); });
  run_on_cached_thread([&] { second = ::gettid(), go_second.acquire(); });
  go_first.release();
  wait_until_idle(1);
  go_second.release();
  wait_until_idle(2);
  EXPECT_EQ(thread_of_some_work(), second);
  EXPECT_NE(first, second);
}

// T-THR-10: idle cached threads expire.
TEST_F(ThreadCacheTest, IdleThreadsExpire) {
  detail::set_cached_thread_expiry(1ms);
  thread_of_some_work();
  while (detail::cached_threads() > 0) std::this_thread::yield();
}

// T-THR-10: work that comes while a thread expires is neither lost nor run twice.
TEST_F(ThreadCacheTest, NoWorkIsLostWhileThreadsExpire) {
  detail::set_cached_thread_expiry(1us);
  for (int i = 0; i < 2000; ++i) EXPECT_GT(thread_of_some_work(), 0);
}

// T-THR-10: after fork the cache is cleared: the threads are the parent's.
TEST_F(ThreadCacheTest, AfterForkTheCacheIsEmpty) {
  thread_of_some_work();
  wait_until_idle(1);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool empty = idle_cached_threads() == 0;
    std::_Exit(empty && thread_of_some_work() > 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// What a thread of the cache starts must not be deaf to the signals that a loop receives.
TEST_F(ThreadCacheTest, ThreadsDoNotBlockTheSignalsThatALoopReceives) {
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver&) {
      to_thread_run([] {
        sigset_t mask;
        ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        EXPECT_EQ(::sigismember(&mask, SIGUSR1), 0);
      });
    });
  });
}

}  // namespace
}  // namespace troupe

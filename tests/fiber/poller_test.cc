// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/fd_watch.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/thread.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/seeds.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::run_with_seeds;

struct SocketPair {
  SocketPair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
      std::abort();
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
  UniqueFd a;
  UniqueFd b;
};

void put(int fd) { ASSERT_EQ(::write(fd, "x", 1), 1); }
void get(int fd) {
  char octet;
  ASSERT_EQ(::read(fd, &octet, 1), 1);
}
void fill(int fd) {
  const std::string block(4096, 'x');
  while (::write(fd, block.data(), block.size()) > 0) {
  }
}
void drain(int fd) {
  char block[4096];
  while (::read(fd, block, sizeof block) > 0) {
  }
}

TEST(FdWaitTest, WakesWhenReadable) {
  run_with_seeds([] {
    SocketPair pair;
    int received = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (int i = 0; i < 10; ++i) {
          wait_readable(pair.a.get());
          get(pair.a.get());
          ++received;
        }
      });
      for (int i = 0; i < 10; ++i) {
        put(pair.b.get());
        checkpoint();
      }
    });
    EXPECT_EQ(received, 10);
  });
}

TEST(FdWaitTest, WakesWhenWritable) {
  run_with_seeds([] {
    SocketPair pair;
    wait_writable(pair.a.get());
    fill(pair.a.get());
    EXPECT_FALSE(move_on_after(1ms, [&] { wait_writable(pair.a.get()); }));
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_writable(pair.a.get()); });
      checkpoint();
      drain(pair.b.get());
    });
  });
}

TEST(FdWaitTest, OneTaskPerDirection) {
  run_with_seeds([] {
    SocketPair pair;
    fill(pair.a.get());
    open_task_nursery([&](TaskNursery& n) {
      int woken = 0;
      n.start_soon([&] {
        wait_readable(pair.a.get());
        ++woken;
      });
      n.start_soon([&] {
        wait_writable(pair.a.get());
        ++woken;
      });
      checkpoint();
      put(pair.b.get());
      while (woken < 1) checkpoint();
      EXPECT_EQ(woken, 1);
      drain(pair.b.get());
      n.wait_all();
    });
  });
}

TEST(FdWaitTest, ASecondReaderIsAUsageError) {
  run_with_seeds([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("the first", [&] { wait_readable(pair.a.get()); });
      checkpoint();
      try {
        wait_readable(pair.a.get());
        ADD_FAILURE() << "two may read";
      } catch (const UsageError& error) {
        EXPECT_NE(std::string(error.what()).find("the first"), std::string::npos) << error.what();
      }
      put(pair.b.get());  // and the first still gets it
    });
    wait_readable(pair.a.get());
  });
}

TEST(FdWaitTest, BadDescriptorsAreUsageErrors) {
  run_tasks([] {
    EXPECT_THROW(wait_readable(-1), UsageError);
    EXPECT_THROW(wait_writable(-1), UsageError);
    EXPECT_THROW(wait_readable(100'000), UsageError);
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    EXPECT_THROW(wait_readable(file.get()), UsageError);
    EXPECT_EQ(Loop::current().poller().waiters(), 0u);
  });
}

TEST(FdWaitTest, TheOtherSidesEndWakesBothDirections) {
  run_with_seeds([] {
    SocketPair pair;
    fill(pair.a.get());
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      n.start_soon([&] { wait_writable(pair.a.get()); });
      checkpoint();
      pair.b.reset();
    });
  });
}

TEST(FdWaitTest, ACancelledWaitLeavesNothingBehind) {
  run_with_seeds([] {
    SocketPair pair;
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(move_on_after(500us, [&] { wait_readable(pair.a.get()); }));
      EXPECT_EQ(Loop::current().poller().waiters(), 0u);
    }
    put(pair.b.get());
    wait_readable(pair.a.get());
    CancelScope scope;
    scope.run([&] {
      scope.cancel();
      wait_readable(pair.a.get());
      ADD_FAILURE() << "not a checkpoint";
    });
    get(pair.a.get());
  });
}

TEST(FdWaitTest, ClosingEndsTheWaitWithAnError) {
  run_with_seeds([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(wait_readable(pair.a.get()), UsageError); });
      checkpoint();
      notify_closing(pair.a.get());
      pair.a.reset();
    });
    notify_closing(pair.b.get());  // nobody waits
    notify_closing(-1);
  });
}

TEST(FdWaitTest, AReusedNumberIsANewDescriptor) {
  run_with_seeds([] {
    for (int i = 0; i < 5; ++i) {
      SocketPair pair;  // the same numbers each time, never announced as closed
      put(pair.b.get());
      wait_readable(pair.a.get());
      EXPECT_FALSE(move_on_after(200us, [&] { wait_readable(pair.b.get()); }));
    }
  });
}

TEST(FdWaitTest, ADescriptorClosedBehindOurBackIsSafe) {
  run_tasks([] {
    SocketPair pair;
    const UniqueFd twin(::dup(pair.a.get()));  // keeps the registration alive
    fill(pair.a.get());
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      n.start_soon([&] { EXPECT_THROW(wait_writable(pair.a.get()), UsageError); });
      checkpoint();
      ::close(pair.a.get());
      put(pair.b.get());
    });
    pair.a.release();
  });
}

TEST(FdWaitTest, ManyDescriptorsAtOnce) {
  run_with_seeds([] {
    constexpr int count = 150;  // more than one epoll_wait returns
    std::vector<SocketPair> pairs(count);
    int woken = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (SocketPair& pair : pairs) {
        n.start_soon([&] {
          wait_readable(pair.a.get());
          ++woken;
        });
      }
      checkpoint();
      for (SocketPair& pair : pairs) put(pair.b.get());
    });
    EXPECT_EQ(woken, count);
  });
}

TEST(FdWaitTest, TasksThatAreAlwaysReadyDoNotStarveDescriptors) {
  run_with_seeds([] {
    SocketPair pair;
    bool stop = false;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 2; ++i) {
        n.start_soon([&] {
          while (!stop) checkpoint();
        });
      }
      n.start_soon([&] {
        wait_readable(pair.a.get());
        stop = true;
      });
      checkpoint();
      put(pair.b.get());
    });
  });
}

TEST(FdWatchTest, SeesEdgesWhichComeBeforeTheWait) {
  run_with_seeds([] {
    const UniqueFd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    FdWatch watch(event.get());
    const auto signal = [&] { ASSERT_EQ(::eventfd_write(event.get(), 1), 0); };
    signal();
    watch.wait();
    signal();
    sleep(1ms);
    watch.wait();
    EXPECT_FALSE(move_on_after(1ms, [&] { watch.wait(); })) << "one edge, two returns";
    watch.poke();
    watch.wait();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { watch.wait(); });
      checkpoint();
      signal();
    });
    EXPECT_EQ(Loop::current().poller().watches(), 1u);
  });
}

TEST(FdWatchTest, RefusesASecondWatchOrWaiter) {
  run_with_seeds([] {
    SocketPair pair;
    FdWatch watch(pair.a.get());
    EXPECT_THROW(FdWatch(pair.a.get()), UsageError);
    EXPECT_THROW(wait_readable(pair.a.get()), UsageError);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { watch.wait(); });
      checkpoint();
      EXPECT_THROW(watch.wait(), UsageError);
      watch.poke();
    });
  });
}

TEST(FdWatchTest, ADescriptorIsFreeAfterTheWatch) {
  run_tasks([] {
    SocketPair pair;
    { FdWatch watch(pair.a.get()); }
    put(pair.b.get());
    wait_readable(pair.a.get());
    FdWatch again(pair.b.get());
  });
}

// A loop whose tasks all wait sleeps in the kernel.
TEST(IdleTest, TakesNoTime) {
  run_tasks([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      n.start_soon([] { sleep(1h); });
      n.start_soon([] { sleep_forever(); });
      checkpoint();
      timespec before{};
      timespec after{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
      sleep(200ms);
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
      const auto used = std::chrono::seconds(after.tv_sec - before.tv_sec) +
                        std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
      EXPECT_LT(used, 20ms) << "a busy loop";
      n.cancel();
    });
  });
}

// How often this thread slept while it got a hundred answers from another one.
long sleeps_while_asking(Duration busy_poll) {
  return run_tasks(
      [] {
        SocketPair pair;
        constexpr int questions = 100;
        std::thread other([&pair] {
          for (int i = 0; i < questions; ++i) {
            pollfd question{pair.b.get(), POLLIN, 0};
            ::poll(&question, 1, -1);
            char octet;
            static_cast<void>(!::read(pair.b.get(), &octet, 1));
            std::this_thread::sleep_for(100us);
            put(pair.b.get());
          }
        });
        rusage before{};
        rusage after{};
        ::getrusage(RUSAGE_THREAD, &before);
        for (int i = 0; i < questions; ++i) {
          put(pair.a.get());
          wait_readable(pair.a.get());
          char octet;
          static_cast<void>(!::read(pair.a.get(), &octet, 1));
        }
        ::getrusage(RUSAGE_THREAD, &after);
        other.join();
        return after.ru_nvcsw - before.ru_nvcsw;
      },
      {.busy_poll = busy_poll});
}

TEST(BusyPollTest, WhoLooksAgainAndAgainIsNotWoken) {
  EXPECT_GE(sleeps_while_asking(0s), 50);
  EXPECT_LE(sleeps_while_asking(1h), 10);
}

TEST(BusyPollTest, DeadlinesAreKept) {
  for (const Duration busy_poll : {Duration(-1s), Duration(1ms), Duration(1h), Duration::max()}) {
    run_tasks(
        [] {
          const TimePoint begin = current_time();
          sleep(5ms);
          EXPECT_GE(current_time() - begin, 5ms);
          EXPECT_FALSE(move_on_after(1us, [] { sleep_forever(); }));
        },
        {.busy_poll = busy_poll});
  }
}

TEST(BusyPollTest, OtherThreadsAreHeard) {
  run_tasks(
      [] {
        const LoopToken token = current_token();
        std::thread other([&token] { from_thread_run(token, [] {}); });
        to_thread_run([&] { other.join(); });
      },
      {.busy_poll = 1h});
}

}  // namespace
}  // namespace troupe

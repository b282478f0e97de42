// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/fd_wait.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/fd_watch.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/pipe.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/thread.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/valgrind.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

struct SocketPair {
  UniqueFd a;
  UniqueFd b;
  SocketPair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
  void write_to_a() { EXPECT_EQ(::write(b.get(), "x", 1), 1); }
};

// T-CLK-07: a task that waits for a descriptor is woken when it is ready, others run meanwhile.
TEST(FdWaitTest, WakesWhenReadable) {
  testing::run([] {
    SocketPair pair;
    bool woken = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        wait_readable(pair.a.get());
        woken = true;
      });
      wait_all_tasks_blocked();
      EXPECT_FALSE(woken);
      pair.write_to_a();
    });
    EXPECT_TRUE(woken);
    wait_writable(pair.a.get());
  });
}

// T-CLK-07: two tasks read one descriptor: the second gets an error, the first goes on waiting.
TEST(FdWaitTest, TheSecondReaderGetsAnError) {
  testing::run([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      wait_all_tasks_blocked();
      EXPECT_THROW(wait_readable(pair.a.get()), UsageError);
      wait_writable(pair.a.get());  // the other direction is free
      pair.write_to_a();
    });
  });
}

// T-CLK-07: closing notifies the waiters, of both directions.
TEST(FdWaitTest, ClosingNotifiesWaiters) {
  testing::run([] {
    SocketPair pair;
    ::fcntl(pair.a.get(), F_SETFL, O_NONBLOCK);
    const std::array<char, 4096> filling{};
    while (::write(pair.a.get(), filling.data(), filling.size()) > 0) {
    }
    int notified = 0;
    const auto expect_error = [&](auto wait) {
      try {
        wait(pair.a.get());
      } catch (const UsageError&) {
        ++notified;
      }
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { expect_error(&wait_readable); });
      n.start_soon([&] { expect_error(&wait_writable); });
      wait_all_tasks_blocked();
      notify_closing(pair.a.get());
      pair.a.reset();
    });
    EXPECT_EQ(notified, 2);
  });
}

// T-CLK-07: a silently closed descriptor does not wedge the loop: its waiter can be cancelled, and
// the number can be used again.
TEST(FdWaitTest, ASilentlyClosedDescriptorDoesNotWedgeTheLoop) {
  testing::run([] {
    SocketPair pair;
    const int number = pair.a.get();
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(number); });
      wait_all_tasks_blocked();
      pair.a.reset();
      sleep(1ms);
      n.cancel();
    });
    UniqueFd again(::eventfd(1, EFD_CLOEXEC));
    EXPECT_EQ(again.get(), number);
    wait_readable(number);
  });
}

// T-CLK-07: nor does one that lives on as a copy, which the system still reports.
TEST(FdWaitTest, ASilentlyClosedDescriptorWithACopyDoesNotWedgeTheLoop) {
  testing::run([] {
    SocketPair pair;
    const UniqueFd copy(::dup(pair.a.get()));
    ::fcntl(copy.get(), F_SETFL, O_NONBLOCK);
    const std::array<char, 4096> filling{};
    while (::write(copy.get(), filling.data(), filling.size()) > 0) {
    }
    const int number = pair.a.get();
    int ended = 0;
    const auto wait = [&](auto wait_for) {
      try {
        wait_for(number);
      } catch (const UsageError&) {
      }
      ++ended;
    };
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait(&wait_readable); });
      n.start_soon([&] { wait(&wait_writable); });
      wait_all_tasks_blocked();
      pair.a.reset();
      pair.write_to_a();  // the reader's event; the writer cannot be waited for any more
    });
    EXPECT_EQ(ended, 2);
  });
}

// T-CLK-07: the other side's end wakes readers and writers.
TEST(FdWaitTest, TheOtherSidesEndWakes) {
  testing::run([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      wait_all_tasks_blocked();
      pair.b.reset();
    });
  });
}

// T-CLK-07: what cannot be waited for is an error.
TEST(FdWaitTest, WhatCannotBeWaitedForIsAnError) {
  testing::run([] {
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    EXPECT_THROW(wait_readable(file.get()), UsageError);
    EXPECT_THROW(wait_readable(-1), UsageError);
    EXPECT_THROW(wait_writable(100'000), UsageError);
  });
}

// T-CLK-07: a cancelled wait leaves no trace.
TEST(FdWaitTest, ACancelledWaitLeavesNoTrace) {
  testing::run([] {
    SocketPair pair;
    EXPECT_FALSE(move_on_after(1ms, [&] { wait_readable(pair.a.get()); }));
    pair.write_to_a();
    wait_readable(pair.a.get());
  });
}

// T-CLK-09: two users of one direction of a stream at once: the second gets an error.
TEST(PipeTest, TheSecondUserOfOneDirectionGetsAnError) {
  testing::run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    PipeReader reader{UniqueFd(ends[0])};
    PipeWriter writer{UniqueFd(ends[1])};
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_EQ(reader.read_some(), "x"); });
      wait_all_tasks_blocked();
      EXPECT_THROW(reader.read_some(), UsageError);
      writer.write_all("x");
    });
    const std::string much(1 << 20, 'y');
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { writer.write_all(much); });
      wait_all_tasks_blocked();
      EXPECT_THROW(writer.write_all("z"), UsageError);
      n.cancel();
    });
  });
}

// Octets arrive in order and whole, and the end is seen.
TEST(PipeTest, CarriesOctetsToTheEnd) {
  testing::run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    PipeReader reader{UniqueFd(ends[0])};
    PipeWriter writer{UniqueFd(ends[1])};
    std::string sent;
    for (int i = 0; i < 100'000; ++i) sent += std::to_string(i);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        writer.write_all(sent);
        writer.close();
      });
      EXPECT_EQ(reader.read_all(), sent);
    });
    EXPECT_EQ(reader.read_some(), "");
    EXPECT_THROW(writer.write_all("x"), UsageError);
    reader.close();
    EXPECT_THROW(reader.read_some(), UsageError);
  });
}

// Writing to where nobody reads is an error, not a signal.
TEST(PipeTest, WritingToNobodyIsAnError) {
  testing::run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    PipeWriter writer{UniqueFd(ends[1])};
    ::close(ends[0]);
    EXPECT_THROW(writer.write_all("x"), BrokenChannel);
  });
}

// Closing an end under a task that uses it ends its wait.
TEST(PipeTest, ClosingEndsTheWaits) {
  testing::run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    PipeReader reader{UniqueFd(ends[0])};
    const UniqueFd other_end(ends[1]);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { EXPECT_THROW(reader.read_some(), UsageError); });
      wait_all_tasks_blocked();
      reader.close();
    });
  });
}

Duration cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// A loop whose tasks all wait uses no CPU: for events, descriptors, watches, threads, deadlines.
TEST(IdleTest, ALoopWhoseTasksAllWaitUsesNoCpu) {
  if (testing::under_valgrind()) GTEST_SKIP() << "valgrind uses the CPU";
  testing::run([] {
    SocketPair pair;
    Event event;
    const UniqueFd never_ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    FdWatch watch(never_ready.get());
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { event.wait(); });
      n.start_soon([&] { wait_readable(pair.a.get()); });
      n.start_soon([&] { watch.wait(); });
      n.start_soon([] { sleep(1h); });
      n.start_soon([] { sleep_forever(); });
      wait_all_tasks_blocked();
      const Duration before = cpu_time();
      sleep(1s);  // real: what is counted is the CPU meanwhile
      EXPECT_LT(cpu_time() - before, 1ms);
      n.cancel();
    });
  });
}

// A descriptor that is at its end, and that nobody waits for any more, uses no CPU either.
TEST(IdleTest, ADescriptorAtItsEndUsesNoCpu) {
  if (testing::under_valgrind()) GTEST_SKIP() << "valgrind uses the CPU";
  testing::run([] {
    SocketPair pair;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { wait_readable(pair.a.get()); });
      wait_all_tasks_blocked();
      pair.b.reset();
    });
    const Duration before = cpu_time();
    sleep(200ms);
    EXPECT_LT(cpu_time() - before, 1ms);
  });
}

}  // namespace
}  // namespace troupe

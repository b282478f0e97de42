// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/stack_overflow.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

class StackOverflowDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Uses some stack on each level; not a tail call, and not to be optimised into one.
[[gnu::noinline]] int recurse(int depth) {
  volatile char room[512];
  room[depth % 512] = static_cast<char>(depth);
  return depth > 0 ? recurse(depth - 1) + room[depth % 512] : 0;
}

void overflow_in_task(std::size_t stack_size) {
  testing::run(
      [] {
        open_task_nursery([](TaskNursery& n) {
          n.start_soon("innocent", [] { sleep_forever(); });
          n.start_soon("glutton", [] { std::_Exit(recurse(1'000'000) == 0 ? 3 : 4); });
        });
      },
      {.stack_size = stack_size});
}

void raise_segv_handler(int) {
  constexpr char text[] = "the program's own handler\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, sizeof text - 1);
  std::_Exit(42);
}

void raise_segv_info_handler(int, siginfo_t* info, void*) {
  std::_Exit(info->si_addr == reinterpret_cast<void*>(16) ? 43 : 44);
}

void write_to(std::uintptr_t address) {
  *reinterpret_cast<volatile char*>(address) = 1;  // NOLINT: on purpose
}

// A task that overflows its stack is named, with the size of its stack, and the process ends by the
// signal.
TEST_F(StackOverflowDeathTest, NamesTheTaskAndTheSize) {
  EXPECT_EXIT(overflow_in_task(256 * 1024), ::testing::KilledBySignal(SIGSEGV),
              "task 'glutton'.*stack_overflow_test.cc.*overflowed its stack of 256 KiB");
}

TEST_F(StackOverflowDeathTest, StacksOfAnySize) {
  EXPECT_EXIT(overflow_in_task(1024 * 1024), ::testing::KilledBySignal(SIGSEGV),
              "overflowed its stack of 1024 KiB");
}

// Loops of other threads, too.
TEST_F(StackOverflowDeathTest, InLoopsOfOtherThreads) {
  EXPECT_EXIT(std::thread([] { overflow_in_task(256 * 1024); }).join(),
              ::testing::KilledBySignal(SIGSEGV), "task 'glutton'");
}

// Another fault is not called an overflow, and goes to the handler that was there before.
TEST_F(StackOverflowDeathTest, OtherFaultsGoToTheOldHandler) {
  EXPECT_EXIT(
      {
        ::signal(SIGSEGV, &raise_segv_handler);
        testing::run([] { write_to(16); });
      },
      ::testing::ExitedWithCode(42), "^the program's own handler");
}

TEST_F(StackOverflowDeathTest, OldHandlersGetTheAddress) {
  EXPECT_EXIT(
      {
        struct sigaction action {};
        action.sa_sigaction = &raise_segv_info_handler;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGSEGV, &action, nullptr);
        testing::run([] { write_to(16); });
      },
      ::testing::ExitedWithCode(43), "");
}

TEST_F(StackOverflowDeathTest, OtherFaultsEndTheProcessByTheirSignal) {
  EXPECT_EXIT(testing::run([] { write_to(16); }), ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(testing::run([] { ::raise(SIGBUS); }), ::testing::KilledBySignal(SIGBUS), "");
}

struct sigaction present_action() {
  struct sigaction action {};
  ::sigaction(SIGSEGV, nullptr, &action);
  return action;
}

stack_t present_handler_stack() {
  stack_t stack{};
  ::sigaltstack(nullptr, &stack);
  return stack;
}

// Handler and handler stack are the program's again after the run.
TEST(StackOverflowTest, HandlersAreRestored) {
  const auto before = present_action();
  const stack_t stack_before = present_handler_stack();
  testing::run([&] {
    EXPECT_NE(present_action().sa_sigaction, before.sa_sigaction);
    EXPECT_EQ(present_handler_stack().ss_flags & SS_DISABLE, 0);
  });
  EXPECT_EQ(present_action().sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(present_handler_stack().ss_flags, stack_before.ss_flags);
}

// A handler that the program installs during the run stays.
TEST(StackOverflowTest, AHandlerInstalledMeanwhileStays) {
  const auto before = present_action();
  testing::run([] { ::signal(SIGSEGV, &raise_segv_handler); });
  EXPECT_EQ(present_action().sa_handler, &raise_segv_handler);
  ::sigaction(SIGSEGV, &before, nullptr);
}

}  // namespace
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/base/throw_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "troupe/runtime/base/symbols.h"
#include "troupe/runtime/base/traceback.h"

// Not in troupe's namespace: these are a program's functions.
namespace play {

struct Missed : std::logic_error {
  using std::logic_error::logic_error;
};
struct Ignored {};

[[gnu::noinline]] void forget_line() { throw Missed("which act?"); }
[[gnu::noinline]] void act() {
  forget_line();
  asm volatile("");  // no tail call
}
[[gnu::noinline]] int deep(int depth) {
  if (depth == 0) {
    forget_line();
    return 0;
  }
  const int below = deep(depth - 1);
  asm volatile("");  // no loop instead of the recursion
  return below + 1;
}
[[gnu::noinline]] void throw_ignored() { throw Ignored(); }
// Thrown inside of the shared libstdc++.
[[gnu::noinline]] std::size_t ask_too_much() { return std::string("short").substr(9).size(); }

}  // namespace play

namespace troupe {
namespace {

template <class Body>
std::exception_ptr thrown_by(Body body) {
  try {
    body();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

// Whether a function of that name is in the trace.
bool traced(const std::exception_ptr& error, std::string_view function) {
  for (const std::uintptr_t address : throw_trace(error)) {
    for (const SourceFrame& frame : source_frames(address)) {
      if (qualified_name(frame.function) == function) return true;
    }
  }
  return false;
}

class ThrowTraceTest : public ::testing::Test {
 protected:
  // The machine's own setting would win over the tests'.
  void SetUp() override {
    ::unsetenv("TROUPE_TRACEBACKS");
    enable_throw_traces(true);
  }
  void TearDown() override { SetUp(); }
};

TEST_F(ThrowTraceTest, BeginsWhereItWasThrown) {
  const std::exception_ptr error = thrown_by(&play::act);
  const auto addresses = throw_trace(error);
  ASSERT_GE(addresses.size(), 2u);
  EXPECT_EQ(qualified_name(source_frames(addresses[0]).back().function), "play::forget_line");
  EXPECT_EQ(qualified_name(source_frames(addresses[1]).back().function), "play::act");
}

TEST_F(ThrowTraceTest, ThrowsOfSharedLibrariesCount) {
  EXPECT_TRUE(traced(thrown_by([] { play::ask_too_much(); }), "play::ask_too_much"));
}

TEST_F(ThrowTraceTest, StaysWithTheExceptionWhileOthersAreThrown) {
  const std::exception_ptr kept = thrown_by(&play::act);
  for (int i = 0; i < 1000; ++i) thrown_by([] { throw std::runtime_error("another"); });
  EXPECT_TRUE(traced(kept, "play::act"));
}

TEST_F(ThrowTraceTest, RethrowingChangesNothing) {
  const std::exception_ptr error = thrown_by(&play::act);
  const auto before = throw_trace(error);
  const std::exception_ptr again = thrown_by([&] { std::rethrow_exception(error); });
  EXPECT_EQ(throw_trace(again), before);
}

TEST_F(ThrowTraceTest, OtherThreadsMayAsk) {
  std::exception_ptr error;
  std::thread([&] { error = thrown_by(&play::act); }).join();
  EXPECT_TRUE(traced(error, "play::act"));
}

TEST_F(ThrowTraceTest, ManyThreadsMayThrow) {
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([] {
      for (int i = 0; i < 2000; ++i) throw_trace(thrown_by(&play::act));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ThrowTraceTest, DeepStacksAreCutAtTheOuterEnd) {
  const std::exception_ptr error = thrown_by([] { play::deep(1000); });
  EXPECT_EQ(throw_trace(error).size(), max_trace_frames);
  EXPECT_TRUE(traced(error, "play::forget_line"));
}

// Its address may be that of an exception which was thrown before.
TEST_F(ThrowTraceTest, WhatWasNeverThrownHasNone) {
  for (int i = 0; i < 100; ++i) {
    thrown_by(&play::act);
    EXPECT_TRUE(throw_trace(std::make_exception_ptr(play::Missed("never thrown"))).empty());
  }
  EXPECT_TRUE(throw_trace(nullptr).empty());
}

TEST_F(ThrowTraceTest, SkippedTypesHaveNone) {
  skip_throw_traces_of(typeid(play::Ignored));
  skip_throw_traces_of(typeid(play::Ignored));
  EXPECT_TRUE(throw_trace(thrown_by(&play::throw_ignored)).empty());
  EXPECT_FALSE(throw_trace(thrown_by(&play::act)).empty());
}

TEST_F(ThrowTraceTest, CanBeSwitchedOff) {
  thrown_by(&play::act);
  enable_throw_traces(false);
  const std::exception_ptr untraced = thrown_by(&play::act);
  EXPECT_TRUE(throw_trace(untraced).empty());
  enable_throw_traces(true);
  EXPECT_TRUE(throw_trace(untraced).empty());
  EXPECT_FALSE(throw_trace(thrown_by(&play::act)).empty());
}

TEST_F(ThrowTraceTest, TheEnvironmentHasTheLastWord) {
  ::setenv("TROUPE_TRACEBACKS", "0", 1);
  enable_throw_traces(true);
  const std::exception_ptr untraced = thrown_by([] { throw std::string("untraced"); });
  ::setenv("TROUPE_TRACEBACKS", "1", 1);
  enable_throw_traces(false);
  const std::exception_ptr recorded = thrown_by(&play::act);
  EXPECT_TRUE(throw_trace(untraced).empty());
  EXPECT_FALSE(throw_trace(recorded).empty());
}

}  // namespace
}  // namespace troupe

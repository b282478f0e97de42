// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/base/traceback.h"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

// Not in troupe's namespace: these are a program's functions.
namespace play {

[[gnu::noinline]] void act() { throw std::logic_error("which act?"); }

}  // namespace play

namespace troupe {
namespace {

std::string text_of(const std::vector<const char*>& functions) {
  std::vector<SourceFrame> frames;
  for (const char* function : functions) frames.push_back({function});
  return traceback_text(frames);
}

TEST(QualifiedNameTest, IsTheNameAlone) {
  EXPECT_EQ(qualified_name("main"), "main");
  EXPECT_EQ(qualified_name("play::act(int, char const*)"), "play::act");
  EXPECT_EQ(qualified_name("int play::act<int>(int) const"), "play::act<int>");
  EXPECT_EQ(qualified_name("(anonymous namespace)::act()"), "(anonymous namespace)::act");
  EXPECT_EQ(qualified_name("play::(anonymous namespace)::act()"),
            "play::(anonymous namespace)::act");
  EXPECT_EQ(qualified_name("decltype(auto) play::act<(x)1>(int)"), "play::act<(x)1>");
  EXPECT_EQ(qualified_name("decltype ({parm#1}()) play::act<int>(int)"), "play::act<int>");
  EXPECT_EQ(qualified_name("main::{lambda(int)#1}::operator()(int) const"),
            "main::{lambda(int)#1}::operator");
  EXPECT_EQ(qualified_name("std::vector<int, std::allocator<int> > play::all()"), "play::all");
  EXPECT_EQ(qualified_name("std::ostream& play::operator<< <int>(std::ostream&, int)"),
            "play::operator");
  EXPECT_EQ(qualified_name(""), "");
}

TEST(TracebackTest, SaysFunctionFileAndLine) {
  EXPECT_EQ(traceback_text({{"play::act()", "stage.cc", 7}, {"play::scene()"}}),
            "play::act() (stage.cc:7)\nplay::scene()\n");
}

TEST(TracebackTest, WhatCarriesTheTaskIsCutOff) {
  EXPECT_EQ(text_of({"play::act()", "void std::__invoke_impl<void, x>(x)", "play::scene()",
                     "troupe::detail::UniqueFunction<void ()>::call()",
                     "decltype(auto) troupe::call_decoded<&play::scene>(int)", "boost::x::run()",
                     "?? in libstdc++.so.6+0x12", "start_thread", "clone"}),
            "play::act()\nvoid std::__invoke_impl<void, x>(x)\nplay::scene()\n");
}

TEST(TracebackTest, NamesThatCannotBeReadAreCutOffAsWell) {
  EXPECT_EQ(
      text_of({"play::act()", "_ZZN6troupe12call_decodedIXadL_Z3actvEEJEEEDcvENKUlDpRT_E_clES_",
               "_ZSt8__invokeIZN6troupe12call_decodedIXadL_Z3actvEEJEEEDcvEUlDpRT_E_JRiEES_"}),
      "play::act()\n");
  EXPECT_EQ(text_of({"_ZZN4play3actEvENKUlDpRT_E_clES_", "_ZN7troupes1fEv", "main"}),
            "_ZZN4play3actEvENKUlDpRT_E_clES_\n_ZN7troupes1fEv\nmain\n");
}

TEST(TracebackTest, FunctionsThatAreNamedAlikeStay) {
  EXPECT_EQ(text_of({"clone_sheep()", "stdx::f()", "main"}), "clone_sheep()\nstdx::f()\nmain\n");
}

TEST(TracebackTest, HowTheStandardLibraryThrowsIsCutOff) {
  EXPECT_EQ(text_of({"std::__throw_out_of_range_fmt(char const*, ...)",
                     "std::vector<int, std::allocator<int> >::at(unsigned long)", "play::act()"}),
            "std::vector<int, std::allocator<int> >::at(unsigned long)\nplay::act()\n");
  EXPECT_EQ(text_of({"void std::throw_with_nested<x>(x&&)", "play::act()"}), "play::act()\n");
}

TEST(TracebackTest, NothingIsLeftOfTheLibraryAlone) {
  EXPECT_EQ(text_of({"troupe::detail::child_is_ready()", "troupe::Dispatcher::serve()"}), "");
  EXPECT_EQ(text_of({}), "");
}

TEST(TracebackTest, LongNamesAreCut) {
  const std::string name(5000, 'x');
  EXPECT_LT(traceback_text({{name + "()"}}).size(), 300u);
}

TEST(TracebackTest, TellsWhereAnErrorWasThrown) {
  std::exception_ptr error;
  try {
    play::act();
  } catch (...) {
    error = std::current_exception();
  }
  EXPECT_EQ(traceback_of(error).rfind("play::act()", 0), 0u) << traceback_of(error);
  EXPECT_EQ(traceback_of(std::make_exception_ptr(std::logic_error("never thrown"))), "");
}

}  // namespace
}  // namespace troupe

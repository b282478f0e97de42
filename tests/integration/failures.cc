// SPDX-License-Identifier: Apache-2.0

// Programs that end with an error which nobody catches; which one is the first argument. Functions
// that traces are to name are not inlined.

#include <csignal>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

namespace failures {

[[gnu::noinline]] void forget_line() { throw std::logic_error("which act?"); }
[[gnu::noinline]] void play_act() {
  forget_line();
  asm volatile("");  // no tail call: both functions are in the trace
}
void die() { std::raise(SIGKILL); }
[[gnu::noinline]] void pass_on(int hops);

inline const auto& stage = troupe::module<"failures", &play_act, &pass_on>;

// The error comes from `hops` actors further down.
void pass_on(int hops) {
  if (hops == 0) play_act();
  troupe::open_nursery([hops](troupe::ActorNursery& n) {
    troupe::Portal next = n.start_actor("hop-" + std::to_string(hops), {.enable_modules = {stage}});
    next.run<&pass_on>(hops - 1);
  });
}

[[gnu::noinline]] void fail_with_cause() {
  try {
    play_act();
  } catch (...) {
    std::throw_with_nested(std::runtime_error("no encore"));
  }
}

// Both fail before either is cancelled.
void fail_together() {
  troupe::open_task_nursery([](troupe::TaskNursery& n) {
    n.start_soon([] { play_act(); });
    n.start_soon([] { throw std::out_of_range("row 9"); });
  });
}

void lose_actor() {
  troupe::open_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&die>("frail"); });
}

}  // namespace failures

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void()>> plays = {
      {"local", &failures::play_act},
      {"group", &failures::fail_together},
      {"one_hop", [] { failures::pass_on(1); }},
      {"three_hops", [] { failures::pass_on(3); }},
      {"died", &failures::lose_actor},
      {"cause", &failures::fail_with_cause},
  };
  return troupe::run(argc, argv, [&] { plays.at(argv[1])(); });
}

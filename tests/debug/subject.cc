// SPDX-License-Identifier: Apache-2.0

// What debugger_test looks at, beside the examples: one thing for each first argument.

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "troupe/runtime/actor/debugger.h"
#include "troupe/troupe.h"

namespace {

using troupe::ActorNursery;

void fails() { throw std::runtime_error("a failure"); }

inline const auto& failing = troupe::module<"failing", &fails>;

// Only one of two children is in debug mode.
void one_of_two() {
  troupe::open_nursery([](ActorNursery& n) {
    n.start_soon([&] {
      n.start_actor("stops", {.enable_modules = {failing}, .debug_mode = true}).run<&fails>();
    });
    n.start_soon([&] { n.start_actor("does_not", {.enable_modules = {failing}}).run<&fails>(); });
  });
}

void by_hand() {
  try {
    fails();
  } catch (const std::runtime_error&) {
    troupe::post_mortem();
  }
}

void in_cancelled_scope() {
  troupe::CancelScope scope;
  scope.cancel();
  scope.run([] {
    troupe::breakpoint();
    troupe::checkpoint();
  });
}

void in_cancelled_root() {
  troupe::open_nursery([](ActorNursery& n) {
    n.start_actor("bystander");
    n.cancel();
    fails();
  });
}

void in_thread() {
  troupe::to_thread_run([] { troupe::breakpoint(); });
}

void crashes() {
  volatile int* nowhere = nullptr;
  *nowhere = 1;
}

void fails_fast() {
  troupe::open_nursery([](ActorNursery& n) {
    n.start_soon([&] { n.start_actor("newborn"); });
    fails();
  });
}

// A leaf that wants the terminal when its parent has it.
struct NoStream {
  using Started = void;
};
void stops_next(troupe::Context<NoStream>& ctx) {
  ctx.started();
  while (!troupe::detail::debugger_has_terminal()) troupe::checkpoint();
  troupe::breakpoint();
}
inline const auto& stopping = troupe::module<"stopping", &stops_next>;

void stops_over_a_leaf() {
  troupe::open_nursery([](ActorNursery& n) {
    n.start_actor("leaf", {.enable_modules = {stopping}}).open_context<&stops_next>([](auto&) {
      troupe::breakpoint();
    });
  });
}

// The branch is cancelled while it stands in gdb, for longer than its time.
void held_branch() {
  troupe::open_nursery([](ActorNursery& n) {
    n.start_soon([&] {
      troupe::move_on_after(std::chrono::seconds(2),
                            [&] { n.run_in_actor<&stops_over_a_leaf>("branch").result(); });
      n.cancel();
    });
  });
}

const std::map<std::string, std::pair<bool, std::function<void()>>> subjects = {
    {"one_of_two", {false, one_of_two}},
    {"by_hand", {true, by_hand}},
    {"in_cancelled_scope", {true, in_cancelled_scope}},
    {"in_cancelled_root", {true, in_cancelled_root}},
    {"in_thread", {true, in_thread}},
    {"crashes", {true, crashes}},
    {"fails_fast", {true, fails_fast}},
    {"held_branch", {true, held_branch}},
};

}  // namespace

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  const auto& [debug_mode, body] = subjects.at(argv[1]);
  try {
    troupe::open_root_actor({.cancel_grace = std::chrono::seconds(1), .debug_mode = debug_mode},
                            body);
    std::cout << "ended well" << std::endl;
  } catch (const std::exception& error) {
    std::cout << "ended with: " << error.what() << std::endl;
  }
}

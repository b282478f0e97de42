// SPDX-License-Identifier: Apache-2.0

// What the guard against tasks that point into a dead nursery body must catch, and what it must let
// pass. dangling_guard_test.sh compiles it with every compiler, at several levels of optimisation,
// and runs each case in a process of its own.

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "troupe/runtime/fiber/dangling_guard.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

// Leaves addresses of the stack all over its lower part, as earlier calls do.
[[gnu::noinline]] void litter(int depth = 8) {
  volatile std::uintptr_t words[64];
  for (auto& word : words) word = reinterpret_cast<std::uintptr_t>(&word);
  if (depth > 0) litter(depth - 1);
  words[0] = words[1];
}

// Must be caught.

void by_reference() {
  open_task_nursery([](TaskNursery& n) {
    int local = 1;
    n.start_soon("the child", [&local] {
      sleep_forever();
      ++local;
    });
  });
}

void by_default_capture() {
  open_task_nursery([](TaskNursery& n) {
    std::string local = "text";
    n.start_soon("the child", [&] {
      sleep_forever();
      local += "more";
    });
    checkpoint();
  });
}

void by_pointer_in_a_large_closure() {
  open_task_nursery([](TaskNursery& n) {
    int local = 1;
    std::array<char, 500> large{};
    n.start_soon("the child", [large, pointer = &local] {
      sleep_forever();
      *pointer = large[0];
    });
  });
}

void inside_of_another_closure() {
  open_task_nursery([](TaskNursery& n) {
    int local = 1;
    const std::function<void()> inner = [&local] { ++local; };
    n.start_soon("the child", [name = std::string("x"), inner] {
      sleep_forever();
      inner();
    });
  });
}

[[gnu::noinline]] void start_child(TaskNursery& n) {
  volatile int local = 1;
  n.start_soon("the child", [&local] {
    sleep_forever();
    local = 2;
  });
}

void of_a_function_called_by_the_body() {
  open_task_nursery([](TaskNursery& n) { start_child(n); });
}

void when_started_with_start() {
  open_task_nursery([](TaskNursery& n) {
    int local = 1;
    n.start("the child", [&local](TaskStatus<void>& status) {
      status.started();
      sleep_forever();
      ++local;
    });
  });
}

void when_the_body_throws() {
  open_task_nursery([](TaskNursery& n) {
    int local = 1;
    n.start_soon("the child", [&local] {
      checkpoint();
      ++local;
    });
    throw std::runtime_error("the body's");
  });
}

void when_the_body_is_cancelled() {
  move_on_after(std::chrono::milliseconds(1), [] {
    open_task_nursery([](TaskNursery& n) {
      Event local;
      n.start_soon("the child", [&local] { local.wait(); });
      sleep_forever();
    });
  });
}

// Must pass.

void outer_variables() {
  int outer = 0;
  std::string text = "outer";
  litter();
  open_task_nursery([&](TaskNursery& n) {
    litter();
    n.start_soon([&] { ++outer; });
    n.start_soon([&outer, &text, &n] {
      text += "!";
      n.start_soon([&outer] { ++outer; });
    });
  });
  if (outer != 2) std::abort();
}

void locals_of_a_body_that_waits() {
  open_task_nursery([](TaskNursery& n) {
    int local = 0;
    n.start_soon([&local] {
      checkpoint();
      ++local;
    });
    n.wait_all();
    if (local != 1) std::abort();
  });
}

void values_with_padding_and_spare_octets() {
  struct Padded {
    char small = 1;
    void* pointer = nullptr;
    short last = 2;
  };
  const std::optional<std::uint64_t> nothing;
  for (int round = 0; round < 20; ++round) {
    litter();
    open_task_nursery([round, nothing](TaskNursery& n) {
      const auto stay = [](auto&&...) { checkpoint(); };
      const bool flag = round % 2 != 0;
      const std::string text(static_cast<std::size_t>(round), 'x');
      const Padded padded;
      std::variant<char, std::string> either = 'c';
      std::function<void()> function = [] {};
      auto owner = std::make_unique<int>(1);
      std::vector<std::string> texts{"a", text};
      n.start_soon([stay, flag] { stay(flag); });
      n.start_soon([stay, flag, round, text] { stay(flag, round, text); });
      n.start_soon([stay, padded, flag] { stay(padded, flag); });
      n.start_soon([stay, nothing, text] { stay(nothing, text); });
      n.start_soon([stay, either, flag] { stay(either, flag); });
      n.start_soon([stay, function = std::move(function)] { stay(function); });
      n.start_soon([stay, owner = std::move(owner), texts] { stay(owner, texts); });
      n.start_soon(text, [stay, text, big = std::array<char, 300>{}] { stay(text, big); });
      n.start_soon(std::bind([stay](const std::string& bound) { stay(bound); }, text));
    });
  }
}

void a_task_started_with_start() {
  open_task_nursery([](TaskNursery& n) {
    litter();
    const int value = n.start<int>([](TaskStatus<int>& status) {
      status.started(3);
      sleep(std::chrono::milliseconds(1));
    });
    if (value != 3) std::abort();
  });
}

void values_captured_by_the_body() {
  int outer = 1;
  open_task_nursery([outer, text = std::string("kept")](TaskNursery& n) {
    n.start_soon([&outer, &text] {  // lives in the body's closure, which outlives the nursery
      checkpoint();
      if (outer != 1 || text != "kept") std::abort();
    });
  });
}

void nested_nurseries() {
  open_task_nursery([](TaskNursery& outer) {
    outer.start_soon([] {
      int local = 0;
      open_task_nursery([&local](TaskNursery& inner) {
        for (int i = 0; i < 3; ++i) inner.start_soon([&local] { ++local; });
      });
      if (local != 3) std::abort();
    });
  });
}

struct Case {
  std::string name;
  void (*run)();
};

const Case caught[] = {
    {"by_reference", by_reference},
    {"by_default_capture", by_default_capture},
    {"by_pointer_in_a_large_closure", by_pointer_in_a_large_closure},
    {"inside_of_another_closure", inside_of_another_closure},
    {"of_a_function_called_by_the_body", of_a_function_called_by_the_body},
    {"when_started_with_start", when_started_with_start},
    {"when_the_body_throws", when_the_body_throws},
    {"when_the_body_is_cancelled", when_the_body_is_cancelled},
};

const Case passing[] = {
    {"outer_variables", outer_variables},
    {"locals_of_a_body_that_waits", locals_of_a_body_that_waits},
    {"values_with_padding_and_spare_octets", values_with_padding_and_spare_octets},
    {"a_task_started_with_start", a_task_started_with_start},
    {"values_captured_by_the_body", values_captured_by_the_body},
    {"nested_nurseries", nested_nurseries},
};

void run(const Case& each) {
  try {
    run_tasks(each.run);
  } catch (const std::exception&) {
  }
}

}  // namespace
}  // namespace troupe

// dangling caught|passing: lists the cases. dangling <case>: runs it.
int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "enabled") return troupe::detail::DanglingGuard::enabled() ? 0 : 1;
  for (const troupe::Case& each : troupe::caught) {
    if (what == "caught") std::puts(each.name.c_str());
    if (what == each.name) troupe::run(each);
  }
  for (const troupe::Case& each : troupe::passing) {
    if (what == "passing") std::puts(each.name.c_str());
    if (what == each.name) troupe::run(each);
  }
  return 0;
}

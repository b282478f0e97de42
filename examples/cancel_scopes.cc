// SPDX-License-Identifier: Apache-2.0

// Cancel scopes: whatever runs in one can be ended, at the next place where it waits, by a time
// limit or by another task. Uses the task layer alone. Prints:
//
//   move_on_after: left after its time
//   fail_after: TooSlowError
//   nested: the outer one ended both
//   shield: tidied up in peace
//   cancel: a task has ended the other one

#include <chrono>
#include <iostream>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

using namespace std::chrono_literals;

void time_limits() {
  const auto nap = troupe::move_on_after(10ms, [] { troupe::sleep_forever(); });
  if (nap.cancelled_caught()) std::cout << "move_on_after: left after its time" << std::endl;
  try {
    troupe::fail_after(10ms, [] { troupe::sleep_forever(); });
  } catch (const troupe::TooSlowError&) {
    std::cout << "fail_after: TooSlowError" << std::endl;
  }
}

// The scope whose limit it was is left, with all that is in it.
void nested_limits() {
  bool inner_caught = false;
  const auto outer = troupe::move_on_after(10ms, [&] {
    inner_caught = troupe::move_on_after(1h, [] { troupe::sleep_forever(); }).cancelled_caught();
  });
  if (outer.cancelled_caught() && !inner_caught) {
    std::cout << "nested: the outer one ended both" << std::endl;
  }
}

void tidy_up_in_peace() {
  troupe::CancelScope scope;
  scope.run([&] {
    scope.cancel();
    troupe::CancelScope shield({.shield = true});
    shield.run([] { troupe::sleep(1ms); });  // may wait, although it is cancelled outside
    std::cout << "shield: tidied up in peace" << std::endl;
    troupe::checkpoint();  // here the cancellation arrives
    std::cout << "this is never printed" << std::endl;
  });
}

void cancel_another_task() {
  troupe::CancelScope scope;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    n.start_soon([&] { scope.run([] { troupe::sleep_forever(); }); });
    n.start_soon([&] { scope.cancel(); });
  });
  if (scope.cancelled_caught()) std::cout << "cancel: a task has ended the other one" << std::endl;
}

int main() {
  troupe::run_tasks([] {
    time_limits();
    nested_limits();
    tidy_up_in_peace();
    cancel_another_task();
  });
}

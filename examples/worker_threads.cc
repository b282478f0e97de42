// SPDX-License-Identifier: Apache-2.0

// Work that blocks is done in worker threads, and the loop of tasks goes on. Uses the task layer
// alone. Prints:
//
//   the loop goes on while a thread blocks
//   the thread has read: dear troupe
//   a call back into the loop
//   a thread has heard that nobody waits any more
//   never more than 2 threads at once

#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <thread>

#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/thread.h"
#include "troupe/runtime/fiber/timeouts.h"

using namespace std::chrono_literals;

void block_a_thread() {
  std::promise<std::string> letter;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    n.start_soon([&] {
      const auto text = troupe::to_thread_run([&] { return letter.get_future().get(); });
      std::cout << "the thread has read: " << text << std::endl;
    });
    troupe::sleep(1ms);
    std::cout << "the loop goes on while a thread blocks" << std::endl;
    letter.set_value("dear troupe");
  });
}

void call_back() {
  troupe::to_thread_run([] {
    troupe::from_thread_run([] { std::cout << "a call back into the loop" << std::endl; });
  });
}

void cancel_a_thread() {
  const auto result = troupe::move_on_after(10ms, [] {
    troupe::to_thread_run([] {
      for (;; std::this_thread::sleep_for(1ms)) troupe::from_thread_check_cancelled();
    });
  });
  if (!result) std::cout << "a thread has heard that nobody waits any more" << std::endl;
}

void limit_threads() {
  troupe::CapacityLimiter limiter(2);
  std::atomic<int> now = 0;
  std::atomic<bool> too_many = false;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    const auto work = [&] {
      if (++now > 2) too_many = true;
      std::this_thread::sleep_for(1ms);
      --now;
    };
    for (int i = 0; i < 6; ++i) {
      n.start_soon([&, work] { troupe::to_thread_run(work, {.limiter = &limiter}); });
    }
  });
  if (!too_many) std::cout << "never more than 2 threads at once" << std::endl;
}

int main() {
  troupe::run_tasks([] {
    block_a_thread();
    call_back();
    cancel_a_thread();
    limit_threads();
  });
}

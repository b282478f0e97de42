// SPDX-License-Identifier: Apache-2.0

// A pipeline without an end, and a time limit around it.
// Step 3 of docs/tutorial.md.

#include <iostream>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

void count_for_ever(const troupe::MemorySendChannel<int>& out) {
  for (int i = 1;; ++i) out.send(i);
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    auto numbers = troupe::open_memory_channel<int>(2);
    long received = 0;
    const auto result = troupe::move_on_after(100ms, [&] {
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] { count_for_ever(numbers.send); });
        for ([[maybe_unused]] int number : numbers.receive) ++received;
      });
    });
    if (result.cancelled_caught()) std::cout << "the time is over" << std::endl;
    std::cout << (received > 0 ? "numbers came" : "nothing came") << std::endl;
  });
}

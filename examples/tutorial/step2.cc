// SPDX-License-Identifier: Apache-2.0

// Two tasks and a channel between them: a pipeline in one process.
// Step 2 of docs/tutorial.md.

#include <iostream>

#include "troupe/troupe.h"

void count(const troupe::MemorySendChannel<int>& out) {
  for (int i = 1; i <= 5; ++i) out.send(i);  // waits while the channel is full
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    auto numbers = troupe::open_memory_channel<int>(2);
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([out = numbers.send.clone()] { count(out); });
      numbers.send.close();  // the task has a handle of its own
      for (int number : numbers.receive) {
        std::cout << number << " squared is " << number * number << std::endl;
      }
    });
  });
}

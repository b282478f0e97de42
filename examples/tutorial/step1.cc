// SPDX-License-Identifier: Apache-2.0

// Two tasks in a nursery, which is left when both have ended.
// Step 1 of docs/tutorial.md.

#include <iostream>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_task_nursery([](troupe::TaskNursery& n) {
      n.start_soon([] {
        troupe::sleep(20ms);
        std::cout << "the slow one" << std::endl;
      });
      n.start_soon([] { std::cout << "the quick one" << std::endl; });
    });
    std::cout << "both have ended" << std::endl;
  });
}

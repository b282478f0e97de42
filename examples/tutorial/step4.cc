// SPDX-License-Identifier: Apache-2.0

// A function in a process of its own.
// Step 4 of docs/tutorial.md.

#include <iostream>

#include "troupe/troupe.h"

long sum_of_squares(long end) {
  long sum = 0;
  for (long i = 1; i <= end; ++i) sum += i * i;
  return sum;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      auto answer = n.run_in_actor<&sum_of_squares>("mathematician", 1000);
      std::cout << "the sum is " << answer.result() << std::endl;
    });
    std::cout << "the mathematician has gone" << std::endl;
  });
}

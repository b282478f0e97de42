// SPDX-License-Identifier: Apache-2.0

// Computes in two processes at once. Prints:
//
//   the squares from 1 to 1000 make 333833500
#include <iostream>

#include "sums.h"
#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      auto low = n.run_in_actor<&sum_of_squares>("low", 1, 500);
      auto high = n.run_in_actor<&sum_of_squares>("high", 501, 1000);
      std::cout << "the squares from 1 to 1000 make " << low.result() + high.result() << std::endl;
    });
  });
}

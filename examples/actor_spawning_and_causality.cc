// SPDX-License-Identifier: Apache-2.0

// A one-shot actor: the nursery's block ends only when the actor has ended, so after it the result
// is there and the process is not. Prints:
//
//   Dang that's beautiful

#include <iostream>
#include <string>

#include "troupe/troupe.h"

std::string cellar_door() { return "Dang that's beautiful"; }

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    auto portal = troupe::open_nursery(
        [](troupe::ActorNursery& n) { return n.run_in_actor<&cellar_door>("some_linguist"); });
    // The actor is gone; what it said has stayed.
    std::cout << portal.result() << std::endl;
  });
}

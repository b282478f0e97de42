// SPDX-License-Identifier: Apache-2.0
// Asks an actor in a process of its own for a greeting and prints it.
#include <iostream>

#include "greeter.h"
#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      auto portal = n.run_in_actor<&greet>("greeter", "world");
      std::cout << portal.result() << '\n';
    });
  });
}

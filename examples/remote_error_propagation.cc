// SPDX-License-Identifier: Apache-2.0

// One actor fails, and its error ends them all: it arrives as a RemoteActorError where the tree was
// opened, when the three daemons have been cancelled and are gone. Prints:
//
//   Look Maa that actor failed hard, hehhh!

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

void assert_err() { throw std::logic_error("assertion failed"); }

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  try {
    troupe::open_root_actor({}, [] {
      troupe::open_nursery([](troupe::ActorNursery& n) {
        for (int i = 0; i < 3; ++i) n.start_actor("actor_" + std::to_string(i));
        // Fails at once, and so the nursery cancels the others.
        n.run_in_actor<&assert_err>("assert_err");
      });
    });
  } catch (const troupe::RemoteActorError& error) {
    if (error.is<std::logic_error>()) {
      std::cout << "Look Maa that actor failed hard, hehhh!" << std::endl;
    }
  }
}

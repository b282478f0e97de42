// SPDX-License-Identifier: Apache-2.0

// The root of a tree keeps its registry of names; any actor is found there by its name. Prints,
// with other addresses:
//
//   Arbiter is listening on ipc:///run/user/1000/troupe/run-x2Lr4A/9f86d081884c7d65
//   my_service is found at ipc:///run/user/1000/troupe/run-x2Lr4A/60303ae22b998861

#include <iostream>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_actor("my_service");
      troupe::Portal arbiter = troupe::get_arbiter();
      std::cout << "Arbiter is listening on " << arbiter.address() << std::endl;
      troupe::Portal service = troupe::wait_for_actor("my_service");
      std::cout << "my_service is found at " << service.address() << std::endl;
      n.cancel();
    });
  });
}

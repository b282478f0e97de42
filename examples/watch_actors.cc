// SPDX-License-Identifier: Apache-2.0

// Being told which actors join and leave, instead of asking again and again. Prints:
//
//   worker_1 has joined
//   worker_2 has joined
//   worker_1 has left
//   worker_2 has left

#include <iostream>

#include "troupe/troupe.h"

void watch_workers() {
  int left = 0;
  troupe::watch_actors("worker", [&](troupe::ActorEvents& events) {
    for (const troupe::ActorEvent& event : events) {
      std::cout << event.uid().name << (event.joined() ? " has joined" : " has left") << std::endl;
      if (event.left() && ++left == 2) break;
    }
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_soon(&watch_workers);
      troupe::Portal one = n.start_actor("worker_1");
      troupe::Portal two = n.start_actor("worker_2");
      one.cancel_actor();
      two.cancel_actor();
    });
  });
}

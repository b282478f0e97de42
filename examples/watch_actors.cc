// SPDX-License-Identifier: Apache-2.0

// Being told which actors join and leave, instead of asking again and again. Prints:
//
//   worker_1 has joined
//   worker_2 has joined
//   worker_1 has left
//   worker_2 has left

#include <iostream>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_actor("worker_1");
      troupe::watch_actors("worker", [&](troupe::ActorEvents& events) {
        int present = 0;
        for (const troupe::ActorEvent& event : events) {
          std::cout << event.uid().name << (event.joined() ? " has joined" : " has left") << "\n";
          present += event.joined() ? 1 : -1;
          if (present == 0) break;
          if (event.joined() && present == 1) n.start_actor("worker_2");
          if (present == 2) troupe::wait_for_actor("worker_1").cancel_actor();
          if (event.left()) troupe::wait_for_actor("worker_2").cancel_actor();
        }
      });
    });
  });
}

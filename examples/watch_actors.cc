// SPDX-License-Identifier: Apache-2.0

// An actor is told of who joins and who leaves, by the beginning of their names: how a dispatcher
// keeps a list of its workers. Prints:
//
//   worker-1 has joined
//   worker-2 has joined
//   worker-1 has left
//   now there is 1 worker

#include <iostream>
#include <set>
#include <string>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_actor("bookkeeper");  // not a worker
      troupe::Portal first = n.start_actor("worker-1");

      std::set<std::string> workers;
      troupe::watch_actors("worker-", [&](troupe::ActorEvents& events) {
        for (const troupe::ActorEvent& event : events) {
          std::cout << event.name() << (event.joined() ? " has joined" : " has left") << std::endl;
          if (event.joined()) {
            workers.insert(event.name());
          } else {
            workers.erase(event.name());
            break;
          }
          if (workers.size() == 1) n.start_actor("worker-2");
          if (workers.size() == 2) first.cancel_actor();
        }
      });
      std::cout << "now there is " << workers.size() << " worker" << std::endl;
      n.cancel();
    });
  });
}

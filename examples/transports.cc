// SPDX-License-Identifier: Apache-2.0

// Actors of one tree may listen in different ways: at a private socket, at a port, or at both, of
// which the nearest is found. A call looks the same over each. Prints, with other numbers:
//
//   neighbour answers at ipc:///run/user/1000/troupe/run-x2Lr4A/60303ae22b998861
//   townsman answers at tcp://127.0.0.1:36409
//   commuter answers at ipc:///tmp/commuter-4711
//   all of them are processes of their own: true

#include <unistd.h>

#include <iostream>
#include <set>
#include <string>

#include "troupe/troupe.h"

int process_id() { return troupe::current_actor().pid(); }

inline const auto& identity = troupe::module<"identity", &process_id>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    const std::string port = "tcp://127.0.0.1:0";  // one that is free
    const std::string socket = "ipc:///tmp/commuter-" + std::to_string(getpid());
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      n.start_actor("neighbour", {.enable_modules = {identity}});
      n.start_actor("townsman", {.enable_modules = {identity}, .bind_addrs = {port}});
      n.start_actor("commuter", {.enable_modules = {identity}, .bind_addrs = {port, socket}});
      std::set<int> processes{static_cast<int>(getpid())};
      for (const char* name : {"neighbour", "townsman", "commuter"}) {
        processes.insert(troupe::wait_for_actor(name).run<&process_id>());
        std::cout << name << " answers at " << *troupe::query_actor(name) << std::endl;
      }
      std::cout << "all of them are processes of their own: " << std::boolalpha
                << (processes.size() == 4) << std::endl;
      n.cancel();
    });
  });
}

// SPDX-License-Identifier: Apache-2.0

// A tree of processes that destroys itself: an error in the middle of it ends every actor, and the
// nursery's block is left when the last one has been reaped. Prints:
//
//   worker_0 is a process of its own
//   worker_1 is a process of its own
//   worker_2 is a process of its own
//   This process tree will self-destruct...
//   Self Destructed

#include <unistd.h>

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

int process() { return static_cast<int>(getpid()); }

void target() { troupe::sleep_forever(); }

inline const auto& work = troupe::module<"work", &target, &process>;

void build_and_destroy() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    for (int i = 0; i < 3; ++i) {
      auto worker = n.run_in_actor<&target>("worker_" + std::to_string(i));
      const bool same = worker.run<&process>() == getpid();
      std::cout << worker.uid().name << (same ? " is this process" : " is a process of its own")
                << std::endl;
    }
    std::cout << "This process tree will self-destruct..." << std::endl;
    throw std::runtime_error("Self Destructed");
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    try {
      build_and_destroy();
    } catch (const std::runtime_error& error) {
      std::cout << error.what() << std::endl;  // and nothing is left of the tree
    }
  });
}

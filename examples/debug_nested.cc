// SPDX-License-Identifier: Apache-2.0

// Debug mode in a deep tree: the error stops the actor that failed, then each one above it on its
// way up, and the root last; leave each gdb with `quit`. Prints at the end:
//
//   ended with: the root of all evil
//   it came by root <- branch <- leaf

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

void leaf() { throw std::logic_error("the root of all evil"); }

void branch() {
  troupe::open_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&leaf>("leaf"); });
}

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  try {
    troupe::open_root_actor({.debug_mode = true}, [] {
      troupe::open_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&branch>("branch"); });
    });
  } catch (const troupe::RemoteActorError& error) {
    std::string way = "root";
    for (auto at = error.relay_path().rbegin(); at != error.relay_path().rend(); ++at)
      way += " <- " + at->name;
    std::cout << "ended with: " << error.boxed_message() << "\nit came by " << way << std::endl;
  }
}

// SPDX-License-Identifier: Apache-2.0

// Debug mode in a tree: the actor that fails stops first, in a gdb of its own at the one terminal.
// When that has ended (`quit`), the error travels on, and the root stops with it in turn: there it
// is a RemoteActorError that names the actor. Prints at the end:
//
//   ended with: name 'doggy' is taken (of name_error)

#include <iostream>
#include <stdexcept>

#include "troupe/troupe.h"

void name_error() { throw std::runtime_error("name 'doggy' is taken"); }

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  try {
    troupe::open_root_actor({.debug_mode = true}, [] {
      troupe::open_nursery(
          [](troupe::ActorNursery& n) { n.run_in_actor<&name_error>("name_error"); });
    });
  } catch (const troupe::RemoteActorError& error) {
    std::cout << "ended with: " << error.boxed_message() << " (of " << error.src_uid().name << ")"
              << std::endl;
  }
}

// SPDX-License-Identifier: Apache-2.0

// Debug mode: several actors stop at once, some at breakpoints and one for an error. One at a time
// has the terminal, first come first served; leave each gdb with `quit`. Nobody is killed for being
// slow while one of them has it. Prints at the end:
//
//   all have had their turn

#include <iostream>
#include <stdexcept>

#include "troupe/troupe.h"

void stops() { troupe::breakpoint(); }
void fails() { throw std::runtime_error("this one fails"); }

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  troupe::handle(
      [] {
        troupe::open_root_actor({.debug_mode = true}, [] {
          troupe::open_nursery([](troupe::ActorNursery& n) {
            n.run_in_actor<&stops>("bp_1");
            n.run_in_actor<&stops>("bp_2");
            n.run_in_actor<&fails>("failer");
          });
        });
      },
      troupe::on<std::runtime_error>([](const auto&) {}));
  std::cout << "all have had their turn" << std::endl;
}

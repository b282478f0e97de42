// SPDX-License-Identifier: Apache-2.0

// Debug mode: `troupe::breakpoint()` stops whichever actor comes to it. In gdb `up` leads to the
// loop
// (`print round`); `continue` goes to the next breakpoint, `quit` lets it run. Without a terminal
// it goes on. Prints at the end:
//
//   the breakpoints were passed 3 times

#include <iostream>

#include "troupe/troupe.h"

int breakpoint_forever() {
  int round = 0;
  while (round < 3) {
    troupe::breakpoint();
    ++round;
  }
  return round;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, {.debug_mode = true}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const int passed = n.run_in_actor<&breakpoint_forever>("breakpoint_forever").result();
      std::cout << "the breakpoints were passed " << passed << " times" << std::endl;
    });
  });
}

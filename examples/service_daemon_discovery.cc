// SPDX-License-Identifier: Apache-2.0

// Finds the daemon of service_daemon.cc, whichever of the two was started first, and calls it. They
// are different programs, so the function is called by name. Prints:
//
//   have you ever seen a portal?

#include <iostream>
#include <string>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  return troupe::run(argc, argv, {.arbiter_addr = troupe::default_arbiter}, [] {
    troupe::Portal theatre = troupe::wait_for_actor("theatre");
    std::cout << theatre.run<std::string>("theatre.movie_theatre_question") << std::endl;
  });
}

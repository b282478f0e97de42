// SPDX-License-Identifier: Apache-2.0

// A daemon actor lives until it is cancelled, and answers as many calls as it gets. Prints twice:
//
//   have you ever seen a portal?

#include <iostream>
#include <string>

#include "troupe/troupe.h"

std::string movie_theatre_question() { return "have you ever seen a portal?"; }

inline const auto& theatre = troupe::module<"theatre", &movie_theatre_question>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank = n.start_actor("frank", {.enable_modules = {theatre}});
      std::cout << frank.run<&movie_theatre_question>() << std::endl;
      std::cout << frank.run<&movie_theatre_question>() << std::endl;
      frank.cancel_actor();
    });
  });
}

// SPDX-License-Identifier: Apache-2.0

// Two actors, in two processes, find each other by name and speak their lines. Prints:
//
//   Alright... Action!
//   Hi my name is donny
//   Hi my name is gretchen
//   CUTTTT CUUTT CUT!!! Donny!! You're supposed to say...

#include <iostream>
#include <string>

#include "troupe/troupe.h"

std::string hi() { return "Hi my name is " + troupe::current_actor().name(); }

std::string say_hello(const std::string& other_actor) {
  troupe::Portal other = troupe::wait_for_actor(other_actor);
  return other.run<&hi>();
}

inline const auto& scene = troupe::module<"scene", &say_hello, &hi>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      std::cout << "Alright... Action!" << std::endl;
      auto donny = n.run_in_actor<&say_hello>("donny", "gretchen");
      auto gretchen = n.run_in_actor<&say_hello>("gretchen", "donny");
      std::cout << gretchen.result() << std::endl;
      std::cout << donny.result() << std::endl;
      std::cout << "CUTTTT CUUTT CUT!!! Donny!! You're supposed to say..." << std::endl;
    });
  });
}

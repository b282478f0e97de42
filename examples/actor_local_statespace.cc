// SPDX-License-Identifier: Apache-2.0

// Every actor has a table of its own, which all its tasks share. What it begins with is given along
// at the start; what is written there stays there. Prints:
//
//   frank says: doggy is 11
//   frank says: doggy is 12
//   here doggy is still 10
//   there is no kitty: UsageError

#include <iostream>
#include <string>

#include "troupe/troupe.h"

int grow(const std::string& key) {
  auto& table = troupe::current_actor().statespace();
  table.set(key, table.get<int>(key) + 1);
  return table.get<int>(key);
}

inline const auto& kennel = troupe::module<"kennel", &grow>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, {.statespace = {{"doggy", 10}}}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal frank =
          n.start_actor("frank", {.enable_modules = {kennel}, .statespace = {{"doggy", 10}}});
      // Two calls are two tasks over there; they meet in the table.
      for (int i = 0; i < 2; ++i) {
        std::cout << "frank says: doggy is " << frank.run<&grow>("doggy") << std::endl;
      }
      auto& table = troupe::current_actor().statespace();
      std::cout << "here doggy is still " << table.get<int>("doggy") << std::endl;
      try {
        table.get<int>("kitty");
      } catch (const troupe::UsageError&) {
        std::cout << "there is no kitty: UsageError" << std::endl;
      }
      frank.cancel_actor();
    });
  });
}

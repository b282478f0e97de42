// SPDX-License-Identifier: Apache-2.0

// A tree of actors: each opens a nursery of its own, and the guarantees hold on every level. Prints
// what each actor says of itself and of those below it:
//
//   root
//     left
//       left
//       right
//     right
//       left
//       right

#include <iostream>
#include <sstream>
#include <string>

#include "troupe/troupe.h"

std::string indented(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += "  " + line + "\n";
  return result;
}

// The actor's name, and below it those of its children, `depth` levels down.
std::string describe(int depth) {
  std::string text = troupe::current_actor().name() + "\n";
  if (depth == 0) return text;
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto left = n.run_in_actor<&describe>("left", depth - 1);
    auto right = n.run_in_actor<&describe>("right", depth - 1);
    text += indented(left.result()) + indented(right.result());
  });
  return text;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] { std::cout << describe(2) << std::flush; });
}

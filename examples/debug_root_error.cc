// SPDX-License-Identifier: Apache-2.0

// Debug mode: an error that nobody catches stops the root in gdb, at its terminal. Run it there,
// look around (`up`, `backtrace`), and end gdb with `quit` or `continue`: the program goes on to
// its end. Without a terminal it says so and goes on. Prints at the end:
//
//   ended with: the plan is bad

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  try {
    troupe::open_root_actor({.debug_mode = true}, [] {
      const std::string plan = "the plan is bad";
      throw std::runtime_error(plan);
    });
  } catch (const std::runtime_error& error) {
    std::cout << "ended with: " << error.what() << std::endl;
  }
}

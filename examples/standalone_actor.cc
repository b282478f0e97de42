// SPDX-License-Identifier: Apache-2.0

// A program is an actor without starting any: its root listens where it is told and serves before
// `main` begins. Here it even calls itself, as any other program of this user could. Prints, with
// another port:
//
//   loner listens on tcp://127.0.0.1:40613
//   I am the root: true, and keep the names: true
//   loner says: I want to be alone

#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

std::string famous_words() { return troupe::current_actor().name() + " says: I want to be alone"; }

inline const auto& words = troupe::module<"words", &famous_words>;

int main(int argc, char** argv) {
  troupe::RunOptions options{
      .name = "loner", .arbiter_addr = "tcp://127.0.0.1:0", .enable_modules = {words}};
  return troupe::run(argc, argv, std::move(options), [] {
    const troupe::CurrentActor self = troupe::current_actor();
    std::cout << self.name() << " listens on " << self.address() << std::endl;
    std::cout << std::boolalpha << "I am the root: " << self.is_root()
              << ", and keep the names: " << self.is_arbiter() << std::endl;
    troupe::Portal loner = troupe::get_arbiter(self.address());
    std::cout << loner.run<&famous_words>() << std::endl;
  });
}

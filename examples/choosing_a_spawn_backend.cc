// SPDX-License-Identifier: Apache-2.0

// Where an actor's process comes from is an option, and nothing else changes: one piece of program
// with each of the three start methods. Prints:
//
//   exec: hello world, this is frank; 6 times 7 is 42
//   forkserver: hello world, this is frank; 6 times 7 is 42
//   launcher: hello world, this is frank; 6 times 7 is 42

#include <iostream>
#include <string>

#include "troupe/troupe.h"

std::string greet(const std::string& whom) {
  return "hello " + whom + ", this is " + troupe::current_actor().name();
}

int multiply(int a, int b) { return a * b; }

inline const auto& words = troupe::module<"words", &greet>;

// A daemon and a one-shot, made in the given way.
std::string play(const troupe::StartMethod& method) {
  return troupe::open_nursery([&](troupe::ActorNursery& n) {
    troupe::Portal frank =
        n.start_actor("frank", {.enable_modules = {words}, .start_method = method});
    auto product = n.run_in_actor<&multiply>({.name = "abacus", .start_method = method}, 6, 7);
    std::string lines = frank.run<&greet>("world");
    lines += "; 6 times 7 is " + std::to_string(product.result());
    frank.cancel_actor();
    return lines;
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    // A fresh image of this binary; a fork of it, stopped at `run`; and by a command of ours, which
    // might as well be {"ssh", "host", "{exe}"}.
    const troupe::Launcher launcher{.argv = {"nice", "-n", "1", "{exe}"}};
    std::cout << "exec: " << play(troupe::StartMethod::exec) << std::endl;
    std::cout << "forkserver: " << play(troupe::StartMethod::forkserver) << std::endl;
    std::cout << "launcher: " << play(launcher) << std::endl;
  });
}

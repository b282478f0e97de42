// SPDX-License-Identifier: Apache-2.0

// A function in a process of its own, while the parent computes as well: two tasks of one process
// would take turns, these burn a processor each. Prints:
//
//   the child has burnt, and so has the parent
//   they did so side by side

#include <chrono>
#include <iostream>

#include "troupe/troupe.h"

using Seconds = std::chrono::duration<double>;

// From when to when, on the clock that all processes of this machine share.
struct Interval {
  double begin = 0;
  double end = 0;
};

double now() { return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Never waits: nothing else runs in its process meanwhile.
Interval burn_cpu() {
  Interval burning{now(), now()};
  while (burning.end < burning.begin + 0.5) burning.end = now();
  return burning;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      auto child = n.run_in_actor<&burn_cpu>("child");
      const Interval here = burn_cpu();
      const Interval there = child.result();
      std::cout << "the child has burnt, and so has the parent" << std::endl;
      const bool together = there.begin < here.end && here.begin < there.end;
      std::cout << (together ? "they did so side by side" : "they took turns") << std::endl;
    });
  });
}

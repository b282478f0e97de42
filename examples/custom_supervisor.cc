// SPDX-License-Identifier: Apache-2.0

// A strategy of one's own is a function from an end to a decision. This one is a race: who fails is
// out of it, and the first whose function returns ends it for all. Prints:
//
//   hedgehog is out
//   hare has won
//   the race is over

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

void crawl() { troupe::sleep_forever(); }

void stumble() { throw std::runtime_error("a root in the way"); }

// Runs as soon as the hedgehog, which has a start, is gone.
void run() {
  while (troupe::query_actor("hedgehog")) troupe::sleep(1ms);
}

troupe::Decision referee(const troupe::ChildEnd& end, const troupe::Children& runners) {
  const std::string& name = runners[end.child].uid.name;
  std::cout << name << (end.failed() ? " is out" : " has won") << std::endl;
  return end.failed() ? troupe::Decision::ignore() : troupe::Decision::cancel_all();
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery({.supervise = troupe::Supervisor(referee)}, [](troupe::ActorNursery& n) {
      n.run_in_actor<&crawl>("tortoise");
      n.run_in_actor<&stumble>("hedgehog");
      n.run_in_actor<&run>("hare");
    });
    std::cout << "the race is over" << std::endl;  // and the tortoise was cancelled
  });
}

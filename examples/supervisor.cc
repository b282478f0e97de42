// SPDX-License-Identifier: Apache-2.0

// An actor that crashes is started again, and its portal leads to the new incarnation; but too many
// crashes within a time are a failure of the nursery. Prints:
//
//   the clerk is at work
//   the clerk died of signal 9
//   another clerk is at work
//   the clerk died of signal 9
//   another clerk is at work
//   the clerk died of signal 9
//   the office is closed: actor 'clerk' died of signal 9

#include <csignal>
#include <iostream>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

troupe::Uid work() { return troupe::current_actor().uid(); }
void crash() { raise(SIGKILL); }

inline const auto& office = troupe::module<"office", &work, &crash>;

void run_office(troupe::ActorNursery& n) {
  const troupe::Portal clerk =
      n.start_actor("clerk", {.enable_modules = {office}, .backoff = 10ms});
  troupe::Uid last;
  for (;;) {
    const troupe::Uid present = clerk.run<&work>();  // waits while the clerk is being replaced
    std::cout << (last.name.empty() ? "the"
                  : present == last ? "the same"
                                    : "another")
              << " clerk is at work" << std::endl;
    last = present;
    try {
      clerk.run<&crash>();  // a call that is under way ends with its actor
    } catch (const troupe::ActorDied& died) {
      std::cout << "the clerk died of signal " << died.signal() << std::endl;
    }
  }
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    try {
      troupe::open_nursery({.supervise = troupe::one_for_one({.intensity = 2, .period = 1min})},
                           run_office);
    } catch (const troupe::ActorDied& died) {
      std::cout << "the office is closed: actor '" << died.uid().name << "' died of signal "
                << died.signal() << std::endl;
    }
  });
}

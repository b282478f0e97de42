// SPDX-License-Identifier: Apache-2.0

// The log of a tree of actors. The actor's lines go to stderr, with time, level, actor, pid and
// task; here the root's records go to a sink instead, which prints:
//
//   info root/main stage: asks for 7 squared
//   info root/main stage: got 49
//
// Run it with TROUPE_LOGLEVEL=trace, or =ipc:trace,spawn:runtime, to see more.

#include <iostream>

#include "troupe/troupe.h"

int square(int n) {
  auto log = troupe::log::get_logger("maths");
  log.info("squares ", n);
  log.trace("nobody looks at this ", n, " while traces are off");
  return n * n;
}

void print(const troupe::log::Record& record) {
  std::cout << to_string(record.level) << ' ' << record.actor << '/' << record.task << ' '
            << record.component << ": " << record.text << std::endl;
}

int main(int argc, char** argv) {
  // On from here on, in this program and in the actors that it starts.
  troupe::log::get_console_log("info");
  return troupe::run(argc, argv, [] {
    troupe::log::set_sink(&print);
    auto log = troupe::log::get_logger("stage");
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      log.info("asks for ", 7, " squared");
      auto portal = n.run_in_actor<&square>("mathematician", 7);
      log.info("got ", portal.result());
    });
    troupe::log::set_sink(nullptr);
  });
}

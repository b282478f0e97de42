// SPDX-License-Identifier: Apache-2.0

// A program of its own that serves others: a daemon, found by its name at the customary arbiter,
// whose place it takes if nobody has. It prints nothing and runs until it gets Ctrl-C, or somebody
// calls `cancel_actor`. See service_daemon_discovery.cc for a program that calls it.

#include <string>

#include "troupe/troupe.h"

std::string movie_theatre_question() { return "have you ever seen a portal?"; }

inline const auto& theatre = troupe::module<"theatre", &movie_theatre_question>;

int main(int argc, char** argv) {
  return troupe::run_daemon(argc, argv, {theatre},
                            {.name = "theatre", .arbiter_addr = troupe::default_arbiter});
}

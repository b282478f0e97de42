// SPDX-License-Identifier: Apache-2.0

// The program of raw children and zygotes. Started by RawParent only.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "troupe/tools/bench/raw_actors.h"

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  const std::string address = argc > 2 ? argv[2] : "";
  if (role == "zygote") return troupe::bench::raw_zygote(3);
  if (role == "leaf") return troupe::bench::raw_child(address, argv[0], 0, false);
  if (role == "idle") return troupe::bench::raw_child(address, argv[0], 0, true);
  if (role == "branch" && argc > 3) {
    return troupe::bench::raw_child(address, argv[0], std::atoi(argv[3]), false);
  }
  std::fprintf(stderr, "raw_actor is started by spawn_bench\n");
  return 2;
}

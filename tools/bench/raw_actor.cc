// SPDX-License-Identifier: Apache-2.0

// The program of raw children and zygotes. Started by RawParent only.

#include <cstdio>
#include <string>

#include "troupe/tools/bench/raw_actors.h"

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  const std::string address = argc > 2 ? argv[2] : "";
  if (role == "zygote") return troupe::bench::raw_zygote(3);
  if (role == "leaf") return troupe::bench::raw_child(address, false);
  if (role == "idle") return troupe::bench::raw_child(address, true);
  std::fprintf(stderr, "raw_actor is started by spawn_bench\n");
  return 2;
}

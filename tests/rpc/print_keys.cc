// SPDX-License-Identifier: Apache-2.0

// Prints the keys of functions of every form; none of them is defined here. Compiled by each
// compiler that is present, it must print the same: see keys_test.sh.

#include <cstdio>

#include "troupe/tests/rpc/named_functions.h"

int main() {
  const std::string keys = all_keys();
  std::fputs(keys.c_str(), stdout);
  if (keys == expected_keys) return 0;
  std::fprintf(stderr, "expected:\n%s", std::string(expected_keys).c_str());
  return 1;
}

// SPDX-License-Identifier: Apache-2.0

// One of two files with a static function of the same name and signature, which cannot be told
// apart from elsewhere.

#include "troupe/troupe.h"

static int twin() { return 1; }

inline const auto& first_of_two = troupe::module<"first of two", &twin>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {});
}

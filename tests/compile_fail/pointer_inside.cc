// SPDX-License-Identifier: Apache-2.0

// A pointer deep inside of a value.
//
// EXPECT: a value in this message is a pointer: pointers cannot cross processes; pass the value
// itself, or std::string for text

#include <string>
#include <vector>

#include "troupe/runtime/rpc/codec.h"

struct Line {
  int number;

#ifdef FIXED
  std::string text;
#else
  const char* text;
#endif
};

const auto octets = troupe::encode(std::vector<Line>{{1, "x"}});

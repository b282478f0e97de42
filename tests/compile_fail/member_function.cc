// SPDX-License-Identifier: Apache-2.0

// A member function.
//
// EXPECT: a member function needs an object, which other processes do not have: name a free or
// static function

#include "troupe/runtime/rpc/function.h"

struct Counter {
#ifdef FIXED
  static int count(int more);
#else
  int count(int more);
#endif
};

const auto& key = troupe::function_key<&Counter::count>();

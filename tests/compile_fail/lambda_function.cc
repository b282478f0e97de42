// SPDX-License-Identifier: Apache-2.0

// A lambda where a function must be named.
//
// EXPECT: a lambda or function object has no name that another process knows: write a function and
// name it, as in <&function>

#include "troupe/runtime/rpc/function.h"

int same(int number);

#ifdef FIXED
const auto& key = troupe::function_key<&same>();
#else
const auto& key = troupe::function_key<[](int number) { return number; }>();
#endif

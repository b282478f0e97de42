// SPDX-License-Identifier: Apache-2.0

// A long double, whose form differs between machines.
//
// EXPECT: parameter 1 of this function is a long double, which differs from machine to machine; use
// double

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
void wait(double seconds);
#else
void wait(long double seconds);
#endif

const auto& key = troupe::function_key<&wait>();

// SPDX-License-Identifier: Apache-2.0

// A call with an argument of the wrong type.
//
// EXPECT: argument 2 of this call cannot be converted to the type of the function's parameter

#include "troupe/runtime/rpc/function.h"

int add(int a, int b);

#ifdef FIXED
const auto call = troupe::encode_call<&add>(1, 2.0);
#else
const auto call = troupe::encode_call<&add>(1, "two");
#endif

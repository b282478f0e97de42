// SPDX-License-Identifier: Apache-2.0

// A call with an argument too many.
//
// EXPECT: too many arguments in this call: the function takes fewer

#include "troupe/runtime/rpc/function.h"

int add(int a, int b);

#ifdef FIXED
const auto call = troupe::encode_call<&add>(1, 2);
#else
const auto call = troupe::encode_call<&add>(1, 2, 3);
#endif

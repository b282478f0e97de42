// SPDX-License-Identifier: Apache-2.0

// A call with an argument too few.
//
// EXPECT: too few arguments in this call: the function takes more

#include "troupe/runtime/rpc/function.h"

int add(int a, int b = 2);

#ifdef FIXED
const auto call = troupe::encode_call<&add>(1, 2);
#else
const auto call = troupe::encode_call<&add>(1);
#endif

// SPDX-License-Identifier: Apache-2.0

// A reference_wrapper as a parameter.
//
// EXPECT: parameter 1 of this function is a reference_wrapper: references into this process cannot
// cross processes; pass the value itself

#include <functional>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
void change(int value);
#else
void change(std::reference_wrapper<int> value);
#endif

const auto& key = troupe::function_key<&change>();

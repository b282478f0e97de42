// SPDX-License-Identifier: Apache-2.0

// A reference as the result.
//
// EXPECT: the result of this function is a reference: references into this process cannot cross
// processes; return a value

#include <string>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
std::string title();
#else
const std::string& title();
#endif

const auto& key = troupe::function_key<&title>();

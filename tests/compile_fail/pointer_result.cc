// SPDX-License-Identifier: Apache-2.0

// A pointer as the result.
//
// EXPECT: the result of this function is a pointer: pointers cannot cross processes; pass the value
// itself, or std::string for text

#include <string>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
std::string title();
#else
const char* title();
#endif

const auto& key = troupe::function_key<&title>();

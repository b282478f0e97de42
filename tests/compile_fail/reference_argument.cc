// SPDX-License-Identifier: Apache-2.0

// A parameter that the function would change.
//
// EXPECT: parameter 1 of this function is a reference to what can be changed: references cannot
// cross processes; take a value or a const reference, and return what has changed

#include <string>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
std::string append(const std::string& text);
#else
void append(std::string& text);
#endif

const auto& key = troupe::function_key<&append>();

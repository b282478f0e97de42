// SPDX-License-Identifier: Apache-2.0

// A pointer as a parameter.
//
// EXPECT: parameter 2 of this function is a pointer: pointers cannot cross processes; pass the
// value itself, or std::string for text

#include <string>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
int measure(int length, std::string text);
#else
int measure(int length, const char* text);
#endif

const auto& key = troupe::function_key<&measure>();

// SPDX-License-Identifier: Apache-2.0

// A std::function as a parameter.
//
// EXPECT: parameter 1 of this function is a std::function: code cannot cross processes; name a
// function of a module instead

#include <functional>
#include <string>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
void call(std::string name);
#else
void call(std::function<void()> body);
#endif

const auto& key = troupe::function_key<&call>();

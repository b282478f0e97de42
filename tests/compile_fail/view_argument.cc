// SPDX-License-Identifier: Apache-2.0

// A view as a parameter.
//
// EXPECT: parameter 1 of this function is a view: views into this process cannot cross processes;
// use std::string or std::vector

#include <string>
#include <string_view>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
int measure(const std::string& text);
#else
int measure(std::string_view text);
#endif

const auto& key = troupe::function_key<&measure>();

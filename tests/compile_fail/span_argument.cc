// SPDX-License-Identifier: Apache-2.0

// A span as a parameter.
//
// EXPECT: parameter 1 of this function is a view: views into this process cannot cross processes;
// use std::string or std::vector

#include <span>
#include <vector>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
int sum(const std::vector<int>& numbers);
#else
int sum(std::span<const int> numbers);
#endif

const auto& key = troupe::function_key<&sum>();

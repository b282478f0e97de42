// SPDX-License-Identifier: Apache-2.0

// The same sentence comes first when the call goes through a portal.
//
// EXPECT: argument 1 of this call cannot be converted to the type of the function's parameter

#include <string>

#include "troupe/runtime/rpc/portal.h"

std::string say(const std::string& word, int times);

#ifdef FIXED
std::string ask(const troupe::Portal& portal) { return portal.run<&say>("hi", 3); }
#else
std::string ask(const troupe::Portal& portal) { return portal.run<&say>(3, "hi"); }
#endif

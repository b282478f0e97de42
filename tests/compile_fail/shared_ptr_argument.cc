// SPDX-License-Identifier: Apache-2.0

// A shared_ptr as a parameter.
//
// EXPECT: parameter 3 of this function is a shared_ptr or weak_ptr: ownership cannot be shared by
// two processes; pass the value itself, or std::unique_ptr

#include <memory>

#include "troupe/runtime/rpc/function.h"

#ifdef FIXED
void keep(int, int, std::unique_ptr<int> value) { (void)value; }
#else
void keep(int, int, std::shared_ptr<int> value) { (void)value; }
#endif

const auto& key = troupe::fn<&keep>.key();

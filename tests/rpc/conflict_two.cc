// SPDX-License-Identifier: Apache-2.0

// The other of two files that each have a `static` function of the same name and signature.

#include "troupe/runtime/rpc/module.h"

static int twin(int number) { return number + 2; }

[[maybe_unused]] const auto& registered_two = troupe::fn<&twin>;
inline const auto& cast_two = troupe::module<"cast", &twin>;

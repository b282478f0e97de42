// SPDX-License-Identifier: Apache-2.0

// One of two files that each have a `static` function of the same name and signature.

#include "troupe/runtime/rpc/module.h"

static int twin(int number) { return number + 1; }

[[maybe_unused]] const auto& registered_one = troupe::fn<&twin>;
inline const auto& cast_one = troupe::module<"cast", &twin>;

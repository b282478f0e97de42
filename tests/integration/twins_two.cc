// SPDX-License-Identifier: Apache-2.0

// The other one; see twins_one.cc.

#include "troupe/troupe.h"

static int twin() { return 2; }

inline const auto& second_of_two = troupe::module<"second of two", &twin>;

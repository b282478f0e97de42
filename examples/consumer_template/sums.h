// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// The sum of the squares from `first` to `last`. An actor can run it: it is a function with a
/// name, and takes and returns values.
std::int64_t sum_of_squares(std::int64_t first, std::int64_t last);

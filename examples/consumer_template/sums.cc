// SPDX-License-Identifier: Apache-2.0
#include "sums.h"

std::int64_t sum_of_squares(std::int64_t first, std::int64_t last) {
  std::int64_t sum = 0;
  for (std::int64_t i = first; i <= last; ++i) sum += i * i;
  return sum;
}

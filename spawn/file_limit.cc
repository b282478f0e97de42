// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace troupe {

namespace {

// Some containers give a hard limit of 2^30, over which programs that close every descriptor hang.
constexpr rlim_t highest_raise = 1'048'576;

}  // namespace

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, highest_raise);
  if (wanted <= limit.rlim_cur) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace troupe

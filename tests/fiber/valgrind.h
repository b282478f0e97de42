// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string_view>

namespace troupe::testing {

/// Whether valgrind runs this program: what it costs in CPU then tells nothing. (It preloads
/// itself.)
inline bool under_valgrind() {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr &&
         std::string_view(preloaded).find("vgpreload") != std::string_view::npos;
}

}  // namespace troupe::testing

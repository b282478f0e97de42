// SPDX-License-Identifier: Apache-2.0
#pragma once

// Addresses of code as functions, files and lines. Functions are known as long as the program was
// not stripped; files and lines need debug information (-g).

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// One function of a stack, as people read it. A value.
struct SourceFrame {
  std::string function{};  ///< With its parameters, demangled; "?? in library.so+0x12" if unknown.
  std::string file{};      ///< Empty when there is no debug information.
  int line = 0;            ///< From 1; 0 when there is no debug information.

  bool operator==(const SourceFrame&) const = default;
};

/// The functions at a return address: one, and before it those that the compiler put into it.
/// Remembers what it was asked. The first call reads the program's symbols, which takes
/// milliseconds, with much debug information a tenth of a second; any thread may call. Never waits
/// but for that.
std::vector<SourceFrame> source_frames(std::uintptr_t return_address);

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// `std::source_location`, which clang 14 does not have with libstdc++ 12.

namespace troupe {

/// A place in the source, as a default argument takes it. A value.
class SourceLocation {
 public:
  /// Line 0 of no file.
  constexpr SourceLocation() noexcept = default;
  /// The place of the call in which this stands as a default argument.
  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          const char* function = __builtin_FUNCTION(),
                                          unsigned int line = __builtin_LINE()) noexcept {
    SourceLocation location;
    location.file_ = file;
    location.function_ = function;
    location.line_ = line;
    return location;
  }

  /// The file, as the compiler was given it.
  constexpr const char* file_name() const noexcept { return file_; }
  /// The function's name.
  constexpr const char* function_name() const noexcept { return function_; }
  /// The line, from 1.
  constexpr unsigned int line() const noexcept { return line_; }

 private:
  const char* file_ = "";
  const char* function_ = "";
  unsigned int line_ = 0;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trace of an exception as text, for people: what is not theirs is cut off. What the library
// and the C++ runtime do around a task at the outer end, and how libstdc++ throws at the inner one,
// tells nobody anything.

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/runtime/base/symbols.h"

namespace troupe {

/// Where `error` was thrown, innermost first, a line for each function: "play::act(int)
/// (stage.cc:7)". Empty when that was not recorded, and when no function of the program is in it.
/// The first call reads the program's symbols (see `source_frames`).
std::string traceback_of(const std::exception_ptr& error);

/// The same of a stack that is known already.
std::string traceback_text(std::vector<SourceFrame> frames);

/// "play::act<int>" of "int play::act<int>(int) const": a demangled function without its result and
/// its parameters.
std::string_view qualified_name(std::string_view function);

}  // namespace troupe

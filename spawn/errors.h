// SPDX-License-Identifier: Apache-2.0
#pragma once

// The error of this package: a process could not be started, or a started one could not take up
// its place as a child. Errors of the function that a child runs are not told by it.

#include <string>
#include <string_view>

#include "troupe/runtime/base/error.h"

namespace troupe {

/// An actor's process could not be started, or ended before it was up. `what()` names the actor
/// and the limit or fault that stood in the way.
class SpawnFailed : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// An errno in words: "Too many open files (EMFILE)".
std::string errno_text(int error);

/// An actor's name for a message: in backquotes, control bytes escaped, long ones cut.
std::string quoted_name(std::string_view name);

/// The end of a message about a process that has ended: the last lines of its stderr, if any.
std::string stderr_part(std::string_view tail);

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several errors that left one scope together, as in Python's PEP 654 and trio. A nursery throws a
// group only when two or more of its tasks failed; a single failure leaves as itself.

#include <exception>
#include <string>
#include <vector>

#include "troupe/runtime/base/error.h"

namespace troupe {

/// Two or more errors that happened side by side. May nest. Never holds a `Cancelled`.
class ExceptionGroup : public Error {
 public:
  /// `exceptions` must not be empty and must not hold null pointers.
  ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions);

  /// The errors of the group, in the order in which they were raised.
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }
  /// What the group is about, without its members; `what()` prints the whole tree.
  const std::string& message() const noexcept { return message_; }

 private:
  std::string message_;
  std::vector<std::exception_ptr> exceptions_;
};

/// Throws `errors` the way scopes do: nothing when empty, a single one as itself, more as an
/// `ExceptionGroup`.
void throw_collected(std::vector<std::exception_ptr> errors, const char* who);

/// Keeps one error of each failure, alone or in groups: of those that have one origin (see `Error`)
/// the first that does not tell it by hearsay, and of one error that came several ways the first.
/// What is left of a group is one error alone when it is one.
std::vector<std::exception_ptr> one_per_origin(std::vector<std::exception_ptr> errors);

/// Prints an error and, for groups, the tree below it; one line per error, indented by `indent`
/// spaces.
std::string describe_error(const std::exception_ptr& error, int indent = 0);

}  // namespace troupe

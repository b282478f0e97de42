// SPDX-License-Identifier: Apache-2.0
#pragma once

// The root of every error that troupe throws. Each further kind is defined beside the code that
// throws it, and there are few of them: a kind is chosen by what the caller can do about it.
// `Cancelled` is deliberately not among them.

#include <stdexcept>
#include <string>

namespace troupe {

/// The base of all of troupe's errors. `what()` says who, what, and the next step.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The program uses troupe in a way that cannot work; the message names the fix.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace troupe

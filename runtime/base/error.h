// SPDX-License-Identifier: Apache-2.0
#pragma once

// The root of every error that troupe throws. Each further kind is defined beside the code that
// throws it, and there are few of them: a kind is chosen by what the caller can do about it.
// `Cancelled` is deliberately not among them.

#include <stdexcept>
#include <string>

#include "troupe/runtime/base/origin.h"

namespace troupe {

/// The base of all of troupe's errors. `what()` says who, what, and the next step.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// Which failure this tells of, when others may tell of the same one; 0: none but its own. A
  /// nursery keeps one error of each. For the runtime.
  Origin origin() const noexcept { return origin_; }

 protected:
  /// Says which failure this tells of.
  void set_origin(Origin origin) noexcept { origin_ = origin; }

 private:
  Origin origin_ = 0;
};

/// The program uses troupe in a way that cannot work; the message names the fix.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace troupe

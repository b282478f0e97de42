// SPDX-License-Identifier: Apache-2.0
#pragma once

// Errors that stand for others. What was thrown in another process arrives as one that knows about
// the original, and whoever asks for errors by type (`handle`, in runtime/fiber) looks into it.

#include <exception>
#include <typeinfo>

#include "troupe/runtime/base/error.h"

namespace troupe {

/// An error that stands for another one, which was thrown elsewhere. `on<E>` looks into it.
class BoxingError : public Error {
 public:
  using Error::Error;
  /// Throws the error inside as its own type; returns when this process cannot rebuild it.
  virtual void throw_rebuilt() const = 0;
  /// Whether the error inside is of this type or derived from it, as far as this process can tell.
  /// `handles` tells, while an error is being handled, whether the type would catch it.
  virtual bool boxes(const std::type_info& type, bool (*handles)()) const = 0;
  /// If the error inside is a group: an `ExceptionGroup` whose members stand, each by itself, for
  /// the members of that one. Else null.
  virtual std::exception_ptr boxed_group() const { return nullptr; }
};

namespace detail {

/// Called while an error is being handled: whether an `E` would catch it.
template <class E>
bool handled_as() {
  try {
    throw;
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace detail
}  // namespace troupe

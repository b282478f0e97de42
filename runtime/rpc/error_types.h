// SPDX-License-Identifier: Apache-2.0
#pragma once

// The registry of exception types that can be rebuilt from their boxed form. Private to
// runtime/rpc.

#include <exception>
#include <string_view>

#include "troupe/runtime/rpc/remote_error.h"

namespace troupe::detail {

/// The registered type of that (demangled) name; null if there is none.
const ErrorType* find_error_type(std::string_view name);

/// The most special registered type that `error` is derived from; std::exception at the least.
const ErrorType* nearest_error_type(const std::exception& error);

}  // namespace troupe::detail

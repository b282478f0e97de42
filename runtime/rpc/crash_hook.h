// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a debugger hears of errors before they travel.

#include <exception>

namespace troupe::detail {

/// Called with an error that leaves a function which another actor has called, or the root's main
/// task; null: nobody is interested. May stop the process.
inline void (*uncaught_error_hook)(const std::exception_ptr& error) = nullptr;

}  // namespace troupe::detail

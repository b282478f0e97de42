// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of functions and types as people write them, cut out of demangled symbols. Private to
// runtime/rpc. Mangled names follow one standard, so g++ and clang lead to the same text.

#include <string>
#include <string_view>

namespace troupe::detail {

/// "ns::f" from the demangled name of `FunctionTag<&ns::f>`; template arguments stay, "{anonymous}"
/// stands for an anonymous namespace.
std::string function_name(std::string demangled_tag);

/// "f" from "ns::f", "twice<int>" from "ns::twice<int>".
std::string unqualified_name(std::string_view name);

/// Shortens a demangled type: std::string, std::vector<int> without allocators, no blanks in ">>".
std::string tidy_type(std::string demangled);

}  // namespace troupe::detail

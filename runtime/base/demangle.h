// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readable names of types, for messages.

#include <exception>
#include <string>
#include <typeinfo>

namespace troupe {

/// The C++ spelling of a mangled name, or the name itself when it is not mangled.
std::string demangle(const char* mangled);

/// The readable name of `T`, such as "std::out_of_range".
template <class T>
std::string type_name() {
  return demangle(typeid(T).name());
}

/// The readable dynamic type of a caught exception; "unknown" for a null pointer.
std::string exception_type_name(const std::exception_ptr& error);

/// What a caught exception says of itself: its `what()`, or the name of its type when it has none.
std::string exception_message(const std::exception_ptr& error);

}  // namespace troupe

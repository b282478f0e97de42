// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace troupe {
namespace {

// libstdc++ puts std::string and friends into an inline namespace that users never write.
void erase_all(std::string& text, const std::string& part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
}

}  // namespace

std::string demangle(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  std::string name = status == 0 ? readable.get() : mangled;
  erase_all(name, "__cxx11::");
  return name;
}

std::string exception_type_name(const std::exception_ptr& error) {
  return error ? demangle(error.__cxa_exception_type()->name()) : "unknown";
}

std::string exception_message(const std::exception_ptr& error) {
  if (!error) return "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return exception_type_name(error);
  }
}

}  // namespace troupe

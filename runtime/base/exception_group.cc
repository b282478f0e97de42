// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/exception_group.h"

#include <utility>

#include "troupe/runtime/base/demangle.h"

namespace troupe {
namespace {

std::string group_text(const std::string& message,
                       const std::vector<std::exception_ptr>& exceptions) {
  const char* const errors = exceptions.size() == 1 ? " error)" : " errors)";
  std::string text = message + " (" + std::to_string(exceptions.size()) + errors;
  for (const std::exception_ptr& error : exceptions) text += "\n" + describe_error(error, 2);
  return text;
}

std::string indented(const std::string& text, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string result = margin;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += margin;
  }
  return result;
}

}  // namespace

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : Error(group_text(message, exceptions)),
      message_(std::move(message)),
      exceptions_(std::move(exceptions)) {}

void throw_collected(std::vector<std::exception_ptr> errors, const char* who) {
  if (errors.empty()) return;
  if (errors.size() == 1) std::rethrow_exception(errors.front());
  throw ExceptionGroup(std::string("several tasks of ") + who + " failed", std::move(errors));
}

std::string describe_error(const std::exception_ptr& error, int indent) {
  return indented(exception_type_name(error) + ": " + exception_message(error), indent);
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/start_method_choice.h"

#include <cstdlib>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"

namespace troupe {
namespace {

constexpr const char* variable = "TROUPE_START_METHOD";

StartMethod parse_variable(const char* value) {
  try {
    return StartMethod::parse(value);
  } catch (const UsageError& error) {
    throw UsageError(std::string(variable) + " in the environment: " + error.what());
  }
}

}  // namespace

StartMethodChoice choose_start_method(const StartMethod& wanted) {
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {wanted, false};
  const StartMethod method = parse_variable(value);
  if (method != wanted) {
    log_message(LogLevel::warning, "actor",
                std::string(variable) + " in the environment wins: actors are started by `" +
                    method.to_string() + "`, and not by `" + wanted.to_string() +
                    "` as the program has it");
  }
  return {method, true};
}

}  // namespace troupe

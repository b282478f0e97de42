// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/start_method.h"

#include <utility>

#include "troupe/runtime/base/error.h"

namespace troupe {

StartMethod::StartMethod(Launcher launcher)
    : kind_(Kind::launcher), launcher_(std::make_shared<const Launcher>(std::move(launcher))) {}

StartMethod StartMethod::parse(std::string_view name) {
  if (name == "exec") return exec;
  if (name == "forkserver") return forkserver;
  throw UsageError("there is no start method '" + std::string(name.substr(0, 64)) +
                   "'; there are `exec` and `forkserver`");
}

std::string StartMethod::to_string() const {
  if (kind_ == Kind::exec) return "exec";
  if (kind_ == Kind::forkserver) return "forkserver";
  std::string text = "launcher";
  for (const std::string& argument : launcher_->argv) text += " " + argument;
  return text;
}

bool operator==(const StartMethod& left, const StartMethod& right) noexcept {
  if (left.kind_ != right.kind_) return false;
  return left.launcher_ == right.launcher_ ||
         (left.launcher_ && right.launcher_ && *left.launcher_ == *right.launcher_);
}

}  // namespace troupe

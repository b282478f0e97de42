// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/caller.h"

#include <optional>

#include "troupe/runtime/fiber/task_local.h"

namespace troupe::detail {
namespace {

TaskLocal<std::optional<Uid>>& caller() {
  static TaskLocal<std::optional<Uid>> instance;
  return instance;
}

}  // namespace

const Uid* current_caller() {
  const std::optional<Uid>& uid = caller().get();
  return uid ? &*uid : nullptr;
}

void set_current_caller(const Uid& uid) { caller().set(uid); }

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/task_local.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {

const std::any* find_local(const void* key) {
  const TaskLocals* locals = Loop::current().current_task().locals;
  if (locals == nullptr) return nullptr;
  const auto found = locals->values.find(key);
  return found == locals->values.end() ? nullptr : &found->second;
}

void set_local(const void* key, std::any value) {
  TaskLocals*& locals = Loop::current().current_task().locals;
  if (locals == nullptr) {
    locals = new TaskLocals;
  } else if (locals->users > 1) {
    auto* const copy = new TaskLocals{1, locals->values};
    release_locals(std::exchange(locals, copy));
  }
  locals->values[key] = std::move(value);
}

}  // namespace troupe::detail

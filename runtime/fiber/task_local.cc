// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/task_local.h"

#include <atomic>

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {
namespace {

thread_local constinit TaskLocals** thread_locals = nullptr;

// Those of the task, or of the worker thread; null in what a loop calls between its tasks, such as
// the sink of a log. Throws `UsageError` where there is no loop either.
TaskLocals** current_locals() {
  if (Loop::try_current() == nullptr && thread_locals != nullptr) return thread_locals;
  Loop& loop = Loop::current();
  return loop.runs_task() ? &loop.current_task().locals : nullptr;
}

}  // namespace

const void* find_local(std::uint64_t key) {
  TaskLocals* const* const locals = current_locals();
  if (locals == nullptr || *locals == nullptr) return nullptr;
  const auto found = (*locals)->values.find(key);
  return found == (*locals)->values.end() ? nullptr : found->second.get();
}

void set_local(std::uint64_t key, std::shared_ptr<const void> value) {
  TaskLocals** const current = current_locals();
  if (current == nullptr) {
    throw UsageError("a TaskLocal cannot be set here: this is called by the loop, not by a task");
  }
  TaskLocals*& locals = *current;
  if (locals == nullptr) {
    locals = new TaskLocals;
  } else if (locals->users > 1) {
    auto* const copy = new TaskLocals{1, locals->values};
    release_locals(std::exchange(locals, copy));
  }
  locals->values[key] = std::move(value);
}

TaskLocals* copy_locals(const TaskLocals* locals) {
  return locals != nullptr ? new TaskLocals{1, locals->values} : nullptr;
}

void set_thread_locals(TaskLocals** locals) noexcept { thread_locals = locals; }

std::uint64_t new_local_key() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace troupe::detail

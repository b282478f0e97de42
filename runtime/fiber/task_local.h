// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values that belong to a task and that its children inherit when they start, as Python's
// contextvars.

#include <any>
#include <map>
#include <utility>

namespace troupe {

namespace detail {

/// A task's values, shared with its children until one of them writes.
struct TaskLocals {
  int users = 1;
  std::map<const void*, std::any> values;
};

/// One more user of `locals` (may be null).
inline TaskLocals* share_locals(TaskLocals* locals) noexcept {
  if (locals != nullptr) ++locals->users;
  return locals;
}

/// One user less.
inline void release_locals(TaskLocals* locals) noexcept {
  if (locals != nullptr && --locals->users == 0) delete locals;
}

const std::any* find_local(const void* key);
void set_local(const void* key, std::any value);

}  // namespace detail

/// A variable with a value per task. A child task starts with its parent's values; later changes
/// are its own. Make it `static` or a member of something that outlives the tasks.
template <class T>
class TaskLocal {
 public:
  /// `initial` is what a task sees before any `set` in it or in those that started it.
  explicit TaskLocal(T initial = {}) : initial_(std::move(initial)) {}
  TaskLocal(const TaskLocal&) = delete;
  TaskLocal& operator=(const TaskLocal&) = delete;

  /// The current task's value. Never waits. Throws `UsageError` outside of a task.
  const T& get() const {
    const std::any* value = detail::find_local(this);
    return value != nullptr ? *std::any_cast<T>(value) : initial_;
  }
  /// Sets the current task's value. Never waits. Throws `UsageError` outside of a task.
  void set(T value) { detail::set_local(this, std::move(value)); }

 private:
  T initial_;
};

}  // namespace troupe

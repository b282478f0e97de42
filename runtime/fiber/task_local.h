// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values that belong to a task and that its children inherit when they start, as Python's
// contextvars.

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace troupe {

namespace detail {

/// A task's values, shared with its children until one of them writes.
struct TaskLocals {
  int users = 1;
  std::map<std::uint64_t, std::shared_ptr<const void>> values;  // by variable, immutable
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

const void* find_local(std::uint64_t key);
void set_local(std::uint64_t key, std::shared_ptr<const void> value);
/// A copy that nobody shares; null for null.
TaskLocals* copy_locals(const TaskLocals* locals);
/// Makes `locals` the values of this thread, which runs no loop: a worker's. Null: it has none.
void set_thread_locals(TaskLocals** locals) noexcept;
/// A key that no other variable of this process has or had: an address would be used again.
std::uint64_t new_local_key() noexcept;

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

  /// The current task's value; the initial one in what a loop calls between its tasks, such as
  /// instruments and the sink of a log. Never waits. Throws `UsageError` outside of a loop.
  const T& get() const {
    const void* value = detail::find_local(key_);
    return value != nullptr ? *static_cast<const T*>(value) : initial_;
  }
  /// Sets the current task's value. Never waits. Throws `UsageError` outside of a task.
  void set(T value) { detail::set_local(key_, std::make_shared<const T>(std::move(value))); }

 private:
  const std::uint64_t key_ = detail::new_local_key();
  T initial_;
};

}  // namespace troupe

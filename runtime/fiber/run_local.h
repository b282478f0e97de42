// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values that belong to a run: all its tasks share one, each run (and each thread's loop) has its
// own. For what a library keeps once per loop, such as a connection pool, instead of a global
// variable. For values per task see task_local.h.

#include <memory>
#include <utility>

#include "troupe/runtime/fiber/task_local.h"

namespace troupe {

namespace detail {
const void* find_run_local(std::uint64_t key);
void set_run_local(std::uint64_t key, std::shared_ptr<const void> value);
}  // namespace detail

/// A variable with a value per run. Make it `static`.
template <class T>
class RunLocal {
 public:
  /// `initial` is what is seen before any `set` in a run.
  explicit RunLocal(T initial = {}) : initial_(std::move(initial)) {}
  RunLocal(const RunLocal&) = delete;
  RunLocal& operator=(const RunLocal&) = delete;

  /// The current run's value. Never waits. Throws `UsageError` outside of a task. Lifetime: until
  /// the next `set` in this run.
  const T& get() const {
    const void* value = detail::find_run_local(key_);
    return value != nullptr ? *static_cast<const T*>(value) : initial_;
  }
  /// Sets the current run's value; it dies with the run. Never waits. Throws `UsageError` outside
  /// of a task.
  void set(T value) { detail::set_run_local(key_, std::make_shared<const T>(std::move(value))); }

 private:
  const std::uint64_t key_ = detail::new_local_key();
  T initial_;
};

}  // namespace troupe

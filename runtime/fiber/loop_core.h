// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of the loop that is inlined into programs: what a channel of any type of values needs to
// park, wake, and be a checkpoint. It stands apart from loop.h because every file that includes
// troupe.h compiles it; sources include loop.h.

#include <string>

#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/scheduler.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

namespace detail {
class Instruments;
}

/// A loop, as its tasks see it: parking and waking. Every one is a `Loop`.
class LoopCore {
 public:
  /// The loop of the task that calls. Throws `UsageError` outside of one.
  static LoopCore& current() {
    if (current_ == nullptr) throw_no_loop();
    return *current_;
  }

  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  /// The name of the running task; empty when none runs.
  std::string running_task_name() const;
  /// Whether a task calls, and not what the loop calls between its tasks.
  bool runs_task() const noexcept { return scheduler_.in_fiber(); }
  /// The task that calls.
  Task& current_task() noexcept { return static_cast<Task&>(scheduler_.current()); }

  /// Parks the current task until `wake`. Throws `Cancelled` when its scope is cancelled, before or
  /// meanwhile, and the wait could be aborted. The caller has linked `wait` where its waker finds
  /// it.
  void park(Wait& wait);
  /// Parks the current task until `wake`, whatever is cancelled.
  void park_shielded(Wait& wait) noexcept;
  /// Ends the wait of a parked task: it is ready. Its wait is delivered even if its scope is
  /// cancelled from now on.
  void wake(Task& task) noexcept {
    if (task.wait == nullptr) [[unlikely]]
      broken_invariant("a task was woken that does not wait");
    task.wait = nullptr;
    if (instruments_ != nullptr) [[unlikely]]
      tell_scheduled(task);
    scheduler_.make_ready(task);
  }
  /// Wakes or delivers cancellation to `task` if it is parked on a wait that can be aborted.
  void deliver_cancel(Task& task) noexcept;

  /// Raises `Cancelled` when the current task's scope is cancelled.
  void check_cancelled() {
    Task& task = current_task();
    ++task.cancel_points;
    if (task.scope->effectively_cancelled()) throw_cancelled();
  }
  /// Raises the `Cancelled` that others have met on behalf of the current task: also where a shield
  /// has been raised since. Does nothing when no scope around was cancelled.
  void throw_delivered_cancellation() {
    if (current_task().scope->effective_reason() != nullptr) throw_cancelled();
  }
  /// What an operation that completed at once does instead of waiting: lets others run when the
  /// budget is used up.
  void spend() noexcept {
    if (--budget_ <= 0) yield();
  }
  /// Lets every ready task run.
  void yield() noexcept;
  /// `checkpoint()`: raises a pending cancellation, and lets ready tasks run.
  void checkpoint();
  /// How many operations are left before `spend` lets others run.
  int budget() const noexcept { return budget_; }

 protected:
  explicit LoopCore(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  ~LoopCore() = default;

  [[noreturn]] static void throw_no_loop();
  [[noreturn]] void broken_invariant(const char* what) const noexcept;
  [[noreturn]] void throw_cancelled();

  void tell_scheduled(const Task& task) noexcept;
  void tell_step_ended(const Task& task) noexcept;
  void tell_step_begins(const Task& task) noexcept;

  static thread_local constinit LoopCore* current_;

  Scheduler& scheduler_;
  detail::Instruments* instruments_ = nullptr;  // null while there is none, for the hot paths
  int budget_ = 0;
  int budget_per_turn_ = 64;
  TimePoint turn_start_{};

 private:
  void switch_from(Task& task) noexcept;
};

}  // namespace troupe

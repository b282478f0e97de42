// SPDX-License-Identifier: Apache-2.0
#pragma once

// A task: one fiber's worth of work in a nursery. Tasks are the runtime's own; users see their
// names, and handles to what the tasks do. A task lies at the top of its own stack, and is reused
// with it.

#include <cstdint>
#include <string>
#include <typeinfo>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/base/source_location.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/scheduler.h"

namespace troupe {

class CancelScope;
class Task;
class TaskNursery;

/// What a parked task waits for. Lies on the parked task's stack; the primitives derive from it.
struct Wait {
  /// Names the wait in task trees: "Event::wait".
  const char* what;
  /// Takes the wait back on cancellation: unlinks it and returns true, or returns false when it
  /// cannot be undone (the task is then cancelled at its next checkpoint). Asked once at most.
  /// Null: cannot be undone.
  bool (*abort)(Wait&) noexcept = nullptr;
  /// Says in more words what is waited for, to people who look at a task tree: "Lock::acquire, held
  /// by task 'writer'". Null: `what` says it all.
  std::string (*describe)(const Wait&) = nullptr;
  /// The parked task.
  Task* task = nullptr;
};

namespace detail {
struct InScope;
struct InNursery;
struct InLoop;
struct TaskLocals;
}  // namespace detail

/// One task. Resource; made and reused by the loop.
class Task final : public Runnable,
                   public ListHook<detail::InScope>,
                   public ListHook<detail::InNursery>,
                   public ListHook<detail::InLoop> {
 public:
  Task() = default;
  ~Task();

  /// The name given, or the type of its closure.
  std::string display_name() const { return display_name(name, closure); }
  /// The same, of a task that may be gone.
  static std::string display_name(const std::string& name, const std::type_info* closure);
  /// What it waits for, in words; empty while it runs or is ready.
  std::string waits_for() const;

  std::uint64_t id = 0;                     ///< Never reused within a process.
  std::string name;                         ///< As given; empty when not.
  const std::type_info* closure = nullptr;  ///< The type of its closure.
  SourceLocation start{};                   ///< Where it was started.
  UniqueFunction<void()> body;              ///< What it does.
  const void* body_origin = nullptr;        ///< Where its closure was copied from, as a number.
  CancelScope* scope = nullptr;             ///< Its innermost cancel scope.
  TaskNursery* nursery = nullptr;        ///< The nursery that waits for it; null for the root task.
  detail::TaskLocals* locals = nullptr;  ///< Its task-local values (shared, copied on write).
  Wait* wait = nullptr;                  ///< What it is parked on; null while it runs or is ready.
  TimePoint wait_since{};                ///< Since when, to the precision of a loop turn.
  std::uint32_t cancel_points = 0;       ///< Counts the points at which it could be cancelled.
  std::uint32_t schedule_points = 0;     ///< Counts the points at which it let others run.
  bool woken_by_cancel = false;          ///< Whether the last park ended by cancellation.
  bool retired = false;                  ///< Its fiber is to end instead of taking another body.
};

}  // namespace troupe

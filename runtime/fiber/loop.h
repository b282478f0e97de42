// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop: one thread's tasks, their parking and waking, deadlines and descriptors. Everything
// that waits in troupe waits by `park`; everything that ends a wait calls `wake`. The primitives
// above are written against this header (their templates against loop_core.h); users need it only
// to write primitives of their own.

#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/base/source_location.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/deadlines.h"
#include "troupe/runtime/fiber/fiber_options.h"
#include "troupe/runtime/fiber/idle_hook.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/poller.h"
#include "troupe/runtime/fiber/scheduler.h"
#include "troupe/runtime/fiber/stack_pool.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

class Instrument;
class LoopToken;

namespace detail {
class BackgroundWait;
struct InQuietWaits;
struct LoopRemote;

/// A task that waits until no other can run. Lies on its stack.
struct QuietWait : Wait, ListHook<InQuietWaits> {
  Duration cushion{};  ///< For how long none must have run.
};
}  // namespace detail

/// One thread's tasks.
class Loop final : public LoopCore, private SchedulerClient {
 public:
  /// The loop of the task that calls. Throws `UsageError` outside of one.
  static Loop& current() { return static_cast<Loop&>(LoopCore::current()); }
  /// The loop of this thread, or null.
  static Loop* try_current() noexcept { return static_cast<Loop*>(current_); }

  explicit Loop(const FiberOptions& options);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Runs `main` as the root task, on the calling thread, until it and all that it started have
  /// ended. Its error, if any, comes out.
  void run(UniqueFunction<void()> main);

  /// The lowest address of the stack of the task that calls.
  const char* stack_limit() noexcept;
  /// Waits until no other task can run, for `cushion` in real time: all wait for deadlines,
  /// descriptors, threads or each other. Checkpoint.
  void wait_until_quiet(Duration cushion);
  /// Starts a task in `nursery` (null for the root), under `scope`.
  Task& spawn(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
              TaskNursery* nursery, CancelScope* scope, SourceLocation where);

  /// The present time.
  TimePoint now() noexcept { return clock_->now(); }
  /// The loop's deadlines.
  Deadlines& deadlines() noexcept { return deadlines_; }
  /// The loop's descriptors.
  Poller& poller() noexcept { return poller_; }
  /// The loop's clock.
  Clock& clock() noexcept { return *clock_; }
  /// The task, the dispatcher or the thread's own stack that runs now.
  const Runnable& running() const noexcept { return scheduler_.current(); }
  /// Where stacks come from.
  const StackPool& stacks() const noexcept { return stacks_; }
  /// The task whose stack has this top.
  static const Task& task_of_stack(const char* top) noexcept;
  /// Adds one who hears of the run.
  void add_instrument(Instrument& instrument);
  /// Removes it; false when it is not there.
  bool remove_instrument(Instrument& instrument) noexcept;
  /// Registers a hook.
  void add_idle_hook(IdleHook& hook) noexcept { idle_hooks_.push_back(hook); }
  /// Outermost scope: the root task's.
  CancelScope& root_scope() noexcept { return root_scope_; }
  /// Every live task, in the order of starting.
  IntrusiveList<Task, detail::InLoop>& tasks() noexcept { return tasks_; }
  /// How many tasks live.
  std::size_t task_count() const noexcept { return task_count_; }

  /// How many tasks are ready to run, the calling one not counted. Counts one by one.
  std::size_t runnable_count() noexcept;

  /// The nursery of the tasks that belong to the run and not to `main`; null when there is none.
  TaskNursery* system_nursery() const noexcept { return system_nursery_; }
  /// Sets it; null before it ends.
  void set_system_nursery(TaskNursery* nursery) noexcept { system_nursery_ = nursery; }
  /// Keeps a nursery that has ended alive for a while.
  void keep_ended(std::unique_ptr<TaskNursery> nursery) noexcept;
  /// The run's values of `RunLocal` variables.
  detail::TaskLocals& run_locals();

  /// Called by the poller when another thread has interrupted the loop.
  void on_interrupt() noexcept;

  /// What other threads hold of this loop.
  const std::shared_ptr<detail::LoopRemote>& remote() const noexcept { return remote_; }

 private:
  friend class CancelScope;
  friend class detail::BackgroundWait;

  // The life of a fiber: it runs one body after the other until it is retired.
  static void fiber_main(Runnable& runnable);
  void run_body(Task& task) noexcept;
  Task& ready_fiber();
  Task& make_fiber();
  void retire_idle_fibers() noexcept;
  static void release_fiber(void* task) noexcept;

  // SchedulerClient, on the dispatcher's stack.
  void poll() noexcept override;
  void sleep() noexcept override;
  void run_idle_hooks() noexcept;
  void tick() noexcept;
  void wait_for_events() noexcept;
  bool poll_events(Duration timeout) noexcept;
  void end_quiet_waits(Duration cushion) noexcept;
  bool anything_can_happen() const noexcept;
  void report_deadlock() noexcept;

  Clock* clock_;
  Deadlines deadlines_;
  Poller poller_;
  StackPool stacks_;
  IntrusiveList<IdleHook, detail::InIdleHooks> idle_hooks_;
  IntrusiveList<Task, detail::InLoop> tasks_;
  std::vector<Task*> idle_fibers_;
  std::size_t fibers_ = 0;
  std::size_t task_count_ = 0;
  Runnable& main_;
  bool main_waits_ = false;
  std::exception_ptr root_error_;
  std::exception_ptr deadlock_;
  IntrusiveList<detail::QuietWait, detail::InQuietWaits> quiet_waits_;
  std::size_t background_waits_ = 0;
  std::unique_ptr<detail::Instruments> all_instruments_;
  CancelScope root_scope_;
  std::shared_ptr<detail::LoopRemote> remote_;
  std::uint64_t last_task_id_;
  TaskNursery* system_nursery_ = nullptr;
  detail::TaskLocals* run_locals_ = nullptr;
  std::array<std::unique_ptr<TaskNursery>, 32> ended_nurseries_;
  std::size_t next_ended_nursery_ = 0;
};

namespace detail {

/// While it lives, one wait for a descriptor counts as always there: it does not keep a deadlock of
/// all other tasks from being one. For the runtime's own waits for signals and the like.
class BackgroundWait {
 public:
  BackgroundWait() noexcept : loop_(Loop::current()) { ++loop_.background_waits_; }
  BackgroundWait(const BackgroundWait&) = delete;
  BackgroundWait& operator=(const BackgroundWait&) = delete;
  ~BackgroundWait() { --loop_.background_waits_; }

 private:
  Loop& loop_;
};

}  // namespace detail

}  // namespace troupe

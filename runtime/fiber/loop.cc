// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/loop.h"

#include <algorithm>
#include <exception>
#include <new>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/task_local.h"

namespace troupe {
namespace {

// A loop turn aims at this length between two looks at the world, by adapting the budget of
// operations.
constexpr Duration turn_goal = std::chrono::microseconds(200);
constexpr int max_budget = 128;
// Fibers kept for the next tasks; more are given back as they end.
constexpr std::size_t max_idle_fibers = 1024;

std::uint64_t next_task_id = 0;

}  // namespace

thread_local constinit Loop* Loop::current_ = nullptr;

Task::~Task() { detail::release_locals(locals); }

std::string Task::display_name(const std::string& name, const std::type_info* closure) {
  if (!name.empty()) return name;
  return closure != nullptr ? demangle(closure->name()) : "task";
}

IdleHook::IdleHook() { Loop::current().add_idle_hook(*this); }

void Loop::throw_no_loop() {
  throw UsageError(
      "this function waits, so it must be called from a task: inside of troupe::run or "
      "testing::run");
}

Loop::Loop(const FiberOptions& options)
    : scheduler_(Scheduler::of_this_thread()),
      clock_(options.clock != nullptr ? options.clock : &steady_clock()),
      poller_(*this),
      stacks_(options.stack_size),
      main_(scheduler_.current()),
      remote_(std::make_shared<Remote>(poller_)) {
  if (current_ != nullptr)
    throw UsageError("troupe is already running on this thread: run cannot be nested");
  current_ = this;
  scheduler_.attach(this, options.schedule_seed);
  root_scope_.become_root();
  idle_fibers_.reserve(max_idle_fibers);
}

Loop::~Loop() {
  remote_->close();
  scheduler_.attach(nullptr, std::nullopt);
  current_ = nullptr;
}

void Loop::run(UniqueFunction<void()> main) {
  spawn(std::move(main), typeid(void), "main", nullptr, &root_scope_,
        SourceLocation::current());
  main_waits_ = true;
  while (task_count_ > 0) scheduler_.switch_away();
  retire_idle_fibers();
  if (root_error_) std::rethrow_exception(std::exchange(root_error_, nullptr));
}

std::string Loop::running_task_name() {
  for (Task* task = tasks_.first(); task != nullptr; task = tasks_.next(*task)) {
    if (task == &scheduler_.current()) return task->display_name();
  }
  return {};
}

void Loop::park(Wait& wait) {
  Task& task = current_task();
  task.woken_by_cancel = false;
  wait.task = &task;
  task.wait = &wait;
  task.wait_since = turn_start_;
  if (task.scope->effectively_cancelled()) deliver_cancel(task);
  scheduler_.switch_away();
  budget_ = budget_per_turn_;
  if (task.woken_by_cancel) throw_cancelled();
}

void Loop::park_shielded(Wait& wait) noexcept {
  Task& task = current_task();
  wait.task = &task;
  wait.abort = nullptr;
  task.wait = &wait;
  task.wait_since = turn_start_;
  scheduler_.switch_away();
  budget_ = budget_per_turn_;
}

void Loop::deliver_cancel(Task& task) noexcept {
  if (task.wait == nullptr || task.wait->abort == nullptr) return;
  if (!std::exchange(task.wait->abort, nullptr)(*task.wait)) return;
  task.woken_by_cancel = true;
  wake(task);
}

void Loop::throw_cancelled() {
  const Task& task = current_task();
  throw Cancelled(task.scope->effective_reason(), task);
}

void Loop::yield() noexcept {
  budget_ = budget_per_turn_;
  if (!scheduler_.has_ready()) scheduler_.poll_soon();
  scheduler_.make_ready(scheduler_.current());
  scheduler_.switch_away();
  budget_ = budget_per_turn_;
}

void Loop::checkpoint() {
  check_cancelled();
  if (!scheduler_.has_ready()) {  // alone: only look at the world from time to time
    spend();
  } else {
    yield();
  }
  check_cancelled();
}

Task& Loop::spawn(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
                  TaskNursery* nursery, CancelScope* scope, SourceLocation where) {
  const bool reuse = !idle_fibers_.empty();
  Task& task = reuse ? *idle_fibers_.back() : make_fiber();
  task.id = ++next_task_id;
  task.name = std::move(name);
  task.closure = &closure;
  task.start = where;
  task.body = std::move(body);
  task.nursery = nursery;
  scope->adopt(task);
  tasks_.push_back(task);
  ++task_count_;
  if (nursery != nullptr) task.locals = detail::share_locals(current_task().locals);
  if (!reuse) return task;
  idle_fibers_.pop_back();
  scheduler_.make_ready(task);
  return task;
}

// The task lies at the top of its own stack: no allocation, and its cache lines are the stack's
// own.
Task& Loop::make_fiber() {
  char* const top = stacks_.allocate();
  Task* const task = new (top - (sizeof(Task) + 63) / 64 * 64) Task;
  const auto used = static_cast<std::size_t>(top - reinterpret_cast<char*>(task));
  try {
    scheduler_.start(*task, &Loop::fiber_main, task, stacks_.stack_size() - used,
                     &Loop::release_fiber, task);
  } catch (...) {
    task->~Task();
    stacks_.release(top);
    throw;
  }
  ++fibers_;
  return *task;
}

void Loop::release_fiber(void* released) noexcept {
  auto* const task = static_cast<Task*>(released);
  Loop& loop = *current_;
  char* const top = reinterpret_cast<char*>(task) + (sizeof(Task) + 63) / 64 * 64;
  task->~Task();
  loop.stacks_.release(top);
  if (--loop.fibers_ == 0 && loop.main_waits_) loop.scheduler_.make_ready(loop.main_);
}

void Loop::fiber_main(Runnable& runnable) {
  Task& task = static_cast<Task&>(runnable);
  Loop& loop = *current_;
  while (!task.retired) {
    loop.run_body(task);
    if (loop.idle_fibers_.size() >= max_idle_fibers) return;
    loop.idle_fibers_.push_back(&task);
    loop.scheduler_.switch_away();
  }
}

void Loop::run_body(Task& task) noexcept {
  budget_ = budget_per_turn_;
  std::exception_ptr error;
  bool cancelled = false;
  try {
    task.body();
  } catch (const Cancelled& caught) {
    caught.absorb();
    cancelled = true;
  } catch (...) {
    error = std::current_exception();
  }
  task.body = nullptr;
  static_cast<ListHook<detail::InScope>&>(task).unlink();
  static_cast<ListHook<detail::InLoop>&>(task).unlink();
  detail::release_locals(std::exchange(task.locals, nullptr));
  --task_count_;
  if (task.nursery != nullptr) {
    task.nursery->on_task_end(task, std::move(error), cancelled);
  } else {
    root_error_ = std::move(error);
    if (main_waits_) scheduler_.make_ready(main_);
  }
}

void Loop::retire_idle_fibers() noexcept {
  for (Task* task : idle_fibers_) {
    task->retired = true;
    scheduler_.make_ready(*task);
  }
  idle_fibers_.clear();
  while (fibers_ > 0) scheduler_.switch_away();
  main_waits_ = false;
}

bool Loop::on_interrupt() noexcept { return remote_->deliver(); }

void Loop::run_idle_hooks() noexcept {
  idle_hooks_.for_each([](IdleHook& hook) { hook.before_idle(); });
}

// Looks at the clock, fires deadlines, and adapts the budget so that turns keep near their goal.
void Loop::tick() noexcept {
  const TimePoint present = now();
  budget_per_turn_ = present - turn_start_ > turn_goal ? std::max(budget_per_turn_ / 2, 1)
                                                       : std::min(budget_per_turn_ * 2, max_budget);
  turn_start_ = present;
  deadlines_.fire_due(present);
}

void Loop::poll() noexcept {
  run_idle_hooks();
  poller_.wait(Duration::zero());
  tick();
}

void Loop::sleep() noexcept {
  run_idle_hooks();
  if (!scheduler_.has_ready()) {
    const TimePoint next = deadlines_.next();
    const bool woken =
        poller_.wait(clock_->jumps() ? Duration::zero() : clock_->real_time_until(next));
    if (!woken && clock_->jumps() && next != never) clock_->jump_to(next);
  }
  const int budget = budget_per_turn_;
  tick();
  budget_per_turn_ = std::max(budget, 16);  // time asleep is no sign of a long turn
}

}  // namespace troupe

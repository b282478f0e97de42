// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/loop.h"

#include <atomic>
#include <exception>
#include <new>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/instrument.h"
#include "troupe/runtime/fiber/loop_remote.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/task_local.h"

namespace troupe {
namespace {

// Fibers kept for the next tasks; more are given back as they end.
constexpr std::size_t max_idle_fibers = 1024;

// Where the numbers of the next loop's tasks begin: no number is used twice in a process.
std::atomic<std::uint64_t> next_first_task_id{0};
constexpr std::uint64_t task_ids_per_loop = std::uint64_t{1} << 44;

// How far below its top a stack is used by the task itself.
constexpr std::size_t task_room = (sizeof(Task) + 63) / 64 * 64;

}  // namespace

Task::~Task() { detail::release_locals(locals); }

std::string Task::display_name(const std::string& name, const std::type_info* closure) {
  if (!name.empty()) return name;
  return closure != nullptr ? demangle(closure->name()) : "task";
}

std::string Task::waits_for() const {
  if (wait == nullptr) return {};
  return wait->describe != nullptr ? wait->describe(*wait) : std::string(wait->what);
}

IdleHook::IdleHook() { Loop::current().add_idle_hook(*this); }

Loop::Loop(const FiberOptions& options)
    : LoopCore(Scheduler::of_this_thread()),
      clock_(options.clock != nullptr ? options.clock : &steady_clock()),
      poller_(*this, options.busy_poll),
      stacks_(options.stack_size),
      main_(scheduler_.current()),
      remote_(std::make_shared<detail::LoopRemote>(poller_)),
      last_task_id_(next_first_task_id.fetch_add(task_ids_per_loop)) {
  if (current_ != nullptr)
    throw UsageError("troupe is already running on this thread: run cannot be nested");
  current_ = this;
  scheduler_.attach(this, options.schedule_seed);
  root_scope_.become_root();
  idle_fibers_.reserve(max_idle_fibers);
  for (Instrument* instrument : options.instruments) add_instrument(*instrument);
}

Loop::~Loop() {
  remote_->close();
  remote_->take();
  scheduler_.attach(nullptr, std::nullopt);
  current_ = nullptr;
  detail::release_locals(run_locals_);
}

void Loop::run(UniqueFunction<void()> main) {
  turn_start_ = now();
  if (instruments_ != nullptr) instruments_->tell(&Instrument::before_run);
  spawn(std::move(main), typeid(void), "main", nullptr, &root_scope_, SourceLocation::current());
  main_waits_ = true;
  while (task_count_ > 0) scheduler_.switch_away();
  retire_idle_fibers();
  if (instruments_ != nullptr) instruments_->tell(&Instrument::after_run);
  std::vector<std::exception_ptr> errors;
  for (std::exception_ptr* error : {&deadlock_, &root_error_}) {
    if (*error) errors.push_back(std::exchange(*error, nullptr));
  }
  throw_collected(std::move(errors), "the loop");
}

const char* Loop::stack_limit() noexcept {
  return reinterpret_cast<const char*>(&current_task()) + task_room - stacks_.stack_size();
}

std::size_t Loop::runnable_count() noexcept {
  std::size_t count = 0;
  tasks_.for_each(
      [&](Task& task) { count += task.wait == nullptr && &task != &scheduler_.current() ? 1 : 0; });
  return count;
}

void Loop::keep_ended(std::unique_ptr<TaskNursery> nursery) noexcept {
  ended_nurseries_[next_ended_nursery_].swap(nursery);
  next_ended_nursery_ = (next_ended_nursery_ + 1) % ended_nurseries_.size();
}

detail::TaskLocals& Loop::run_locals() {
  if (run_locals_ == nullptr) run_locals_ = new detail::TaskLocals;
  return *run_locals_;
}

Task& Loop::spawn(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
                  TaskNursery* nursery, CancelScope* scope, SourceLocation where) {
  Task& task = ready_fiber();
  task.id = ++last_task_id_;
  task.name = std::move(name);
  task.closure = &closure;
  task.start = where;
  task.body = std::move(body);
  task.nursery = nursery;
  scope->adopt(task);
  tasks_.push_back(task);
  ++task_count_;
  if (nursery != nullptr && runs_task()) {
    task.locals = detail::share_locals(current_task().locals);
  }
  if (instruments_ != nullptr) [[unlikely]] {
    instruments_->tell(&Instrument::task_spawned, task);
    tell_scheduled(task);
  }
  return task;
}

// One that has no body yet, but runs soon.
Task& Loop::ready_fiber() {
  if (idle_fibers_.empty()) return make_fiber();
  Task& task = *idle_fibers_.back();
  idle_fibers_.pop_back();
  scheduler_.make_ready(task);
  return task;
}

// The task lies at the top of its own stack: no allocation, and its cache lines are the stack's
// own.
Task& Loop::make_fiber() {
  char* const top = stacks_.allocate();
  Task* const task = new (top - task_room) Task;
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
  Loop& loop = current();
  char* const top = reinterpret_cast<char*>(task) + task_room;
  task->~Task();
  loop.stacks_.release(top);
  if (--loop.fibers_ == 0 && loop.main_waits_) loop.scheduler_.make_ready(loop.main_);
}

void Loop::fiber_main(Runnable& runnable) {
  Task& task = static_cast<Task&>(runnable);
  Loop& loop = current();
  while (!task.retired) {
    loop.run_body(task);
    if (loop.idle_fibers_.size() >= max_idle_fibers) return;
    loop.idle_fibers_.push_back(&task);
    loop.scheduler_.switch_away();
  }
}

void Loop::run_body(Task& task) noexcept {
  budget_ = budget_per_turn_;
  if (instruments_ != nullptr) [[unlikely]]
    tell_step_begins(task);
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
  // Its siblings hear of the error before its closure goes: who receives from a channel whose last
  // send end lies there is cancelled, and does not take the failure for the end of the stream.
  if (error && task.nursery != nullptr) task.nursery->on_task_error(task, std::move(error));
  task.body = nullptr;
  if (instruments_ != nullptr) [[unlikely]] {
    instruments_->tell(&Instrument::task_exited, task);
    tell_step_ended(task);
  }
  static_cast<ListHook<detail::InScope>&>(task).unlink();
  static_cast<ListHook<detail::InLoop>&>(task).unlink();
  detail::release_locals(std::exchange(task.locals, nullptr));
  --task_count_;
  if (task.nursery != nullptr) {
    task.nursery->on_task_end(task, cancelled);
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

void Loop::on_interrupt() noexcept { remote_->deliver(); }

const Task& Loop::task_of_stack(const char* top) noexcept {
  return *reinterpret_cast<const Task*>(top - task_room);
}

void Loop::add_instrument(Instrument& instrument) {
  if (!all_instruments_) all_instruments_ = std::make_unique<detail::Instruments>(instruments_);
  all_instruments_->add(instrument);
}

bool Loop::remove_instrument(Instrument& instrument) noexcept {
  return all_instruments_ && all_instruments_->remove(instrument);
}

}  // namespace troupe

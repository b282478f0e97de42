// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/loop_core.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/instrument.h"

namespace troupe {

thread_local constinit LoopCore* LoopCore::current_ = nullptr;

void LoopCore::throw_no_loop() {
  throw UsageError(
      "this function waits, so it must be called from a task: inside of troupe::run or "
      "testing::run");
}

std::string LoopCore::running_task_name() const {
  if (!scheduler_.in_fiber()) return {};
  return static_cast<const Task&>(scheduler_.current()).display_name();
}

void LoopCore::broken_invariant(const char* what) const noexcept {
  std::fprintf(
      stderr,
      "troupe: internal error: fiber: %s (running: '%s'). This is a bug in troupe, or in a "
      "primitive written against troupe/runtime/fiber/loop.h.\n",
      what, running_task_name().c_str());
  std::abort();
}

void LoopCore::switch_from(Task& task) noexcept {
  ++task.schedule_points;
  if (instruments_ != nullptr) [[unlikely]]
    tell_step_ended(task);
  scheduler_.switch_away();
  if (instruments_ != nullptr) [[unlikely]]
    tell_step_begins(task);
}

void LoopCore::park(Wait& wait) {
  Task& task = current_task();
  task.woken_by_cancel = false;
  wait.task = &task;
  task.wait = &wait;
  task.wait_since = turn_start_;
  ++task.cancel_points;
  if (task.scope->effectively_cancelled()) deliver_cancel(task);
  switch_from(task);
  budget_ = budget_per_turn_;
  if (task.woken_by_cancel) throw_cancelled();
}

void LoopCore::park_shielded(Wait& wait) noexcept {
  Task& task = current_task();
  wait.task = &task;
  wait.abort = nullptr;
  task.wait = &wait;
  task.wait_since = turn_start_;
  switch_from(task);
  budget_ = budget_per_turn_;
}

void LoopCore::deliver_cancel(Task& task) noexcept {
  if (task.wait == nullptr || task.wait->abort == nullptr) return;
  if (!std::exchange(task.wait->abort, nullptr)(*task.wait)) return;
  task.woken_by_cancel = true;
  wake(task);
}

void LoopCore::throw_cancelled() {
  const Task& task = current_task();
  throw Cancelled(task.scope->effective_reason(), task);
}

void LoopCore::yield() noexcept {
  Task& task = current_task();
  budget_ = budget_per_turn_;
  if (!scheduler_.has_ready()) scheduler_.poll_soon();
  if (instruments_ != nullptr) [[unlikely]]
    tell_scheduled(task);
  scheduler_.make_ready_last(task);
  switch_from(task);
  budget_ = budget_per_turn_;
}

void LoopCore::checkpoint() {
  check_cancelled();
  if (!scheduler_.has_ready()) {  // alone: only look at the world from time to time
    spend();
  } else {
    yield();
  }
  check_cancelled();
}

void LoopCore::tell_scheduled(const Task& task) noexcept {
  instruments_->tell(&Instrument::task_scheduled, task);
}

void LoopCore::tell_step_ended(const Task& task) noexcept {
  instruments_->tell(&Instrument::after_task_step, task);
}

void LoopCore::tell_step_begins(const Task& task) noexcept {
  instruments_->tell(&Instrument::before_task_step, task);
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/nursery.h"

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/dangling_guard.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

NurseryStatus TaskNursery::status() {
  if (!status_) status_ = std::make_shared<NurseryStatus::Flags>();
  update_status();
  return {status_};
}

void TaskNursery::update_status() noexcept {
  if (!status_) return;
  *status_ = {scope_.cancel_called(), scope_.cancelled_caught(), children_count_};
}

Task& TaskNursery::spawn(UniqueFunction<void()> body, const std::type_info& closure,
                         std::string name, SourceLocation where) {
  if (closed_) {
    throw UsageError(
        "this nursery has ended: start tasks from inside of its block, or open another nursery");
  }
  Task& task =
      Loop::current().spawn(std::move(body), closure, std::move(name), this, &scope_, where);
  task.body_origin = nullptr;
  children_.push_back(task);
  ++children_count_;
  return task;
}

void TaskNursery::on_task_error(const Task& task, std::exception_ptr error) noexcept {
  fail(std::move(error), "a task of the nursery", task.display_name());
}

void TaskNursery::on_task_end(Task& task, bool cancelled) noexcept {
  static_cast<ListHook<detail::InNursery>&>(task).unlink();
  --children_count_;
  saw_cancelled_ |= cancelled;
  on_child_end();
  wake_if_empty();
}

void TaskNursery::add_error(std::exception_ptr error) noexcept {
  fail(std::move(error), "a part of the nursery", {});
}

void TaskNursery::fail(std::exception_ptr error, const char* who, std::string task) noexcept {
  errors_.push_back(std::move(error));
  if (scope_.cancel_called()) return;
  scope_.cancel_with({CancelSource::nursery,
                      std::string(who) + " failed: " + exception_message(errors_.back()),
                      std::move(task)});
}

void TaskNursery::release(bool cancelled) noexcept {
  --holds_;
  saw_cancelled_ |= cancelled;
  wake_if_empty();
}

void TaskNursery::wake_if_empty() noexcept {
  update_status();
  if (children_count_ + holds_ > 0 || opener_wait_ == nullptr) return;
  Task& opener = *std::exchange(opener_wait_, nullptr)->task;
  // Noted now: what is cancelled after the last child has ended comes too late for this wait.
  opener_cancelled_ = opener.scope->effectively_cancelled();
  Loop::current().wake(opener);
}

// Children see every cancellation that the opener would, through the scope; so the opener waits for
// them shielded. Returns whether it would have been cancelled.
bool TaskNursery::await_children() noexcept {
  Loop& loop = Loop::current();
  opener_cancelled_ = false;
  while (children_count_ + holds_ > 0) {
    Wait wait{.what = "children of the nursery"};
    opener_wait_ = &wait;
    loop.park_shielded(wait);
  }
  return opener_cancelled_;
}

void TaskNursery::wait_all() {
  if (closed_ || scope_.owner() != &Loop::current().current_task()) {
    throw UsageError(
        "wait_all is for the nursery's own body: other tasks wait for an Event, or for a nursery "
        "of their own");
  }
  on_body_end();
  if (children_count_ + holds_ == 0) {
    Loop::current().check_cancelled();
    Loop::current().spend();  // others may start children meanwhile
  }
  if (await_children()) Loop::current().check_cancelled();
}

void TaskNursery::run_body(detail::BodyRef body) {
  scope_.enter();
  std::exception_ptr cancelled;
  detail::DanglingGuard guard;
  try {
    guard.call(body);
  } catch (const Cancelled&) {
    cancelled = std::current_exception();
  } catch (...) {
    fail(std::current_exception(), "the body of the nursery",
         Loop::current().current_task().display_name());
  }
  guard.check(children_);
  on_body_end();
  if (children_count_ + holds_ == 0)
    Loop::current().spend();  // others may start children meanwhile
  await_children();
  closed_ = true;
  if (scope_.effectively_cancelled() && (cancelled || saw_cancelled_)) on_cancelled();
  const bool absorbed = leave_scope(cancelled != nullptr);
  update_status();
  if (!errors_.empty()) {
    absorb(cancelled);
    throw_collected(one_per_origin(std::move(errors_)), "a nursery");
  }
  if (absorbed) return absorb(cancelled);
  if (cancelled) std::rethrow_exception(cancelled);
  if (saw_cancelled_) Loop::current().throw_delivered_cancellation();
}

// A nursery that was cancelled when nobody was there to notice has caught nothing.
bool TaskNursery::leave_scope(bool body_cancelled) noexcept {
  if (body_cancelled || saw_cancelled_) return scope_.leave_absorbing();
  scope_.leave();
  return false;
}

void TaskNursery::absorb(const std::exception_ptr& cancelled) noexcept {
  if (!cancelled) return;
  try {
    std::rethrow_exception(cancelled);
  } catch (const Cancelled& caught) {
    caught.absorb();
  }
}

void TaskNursery::start_and_wait(detail::StartSlot& slot, UniqueFunction<void()> body,
                                 const std::type_info& closure, std::string name,
                                 SourceLocation where) {
  if (closed_) throw UsageError("this nursery has ended: start tasks from inside of its block");
  hold();  // pending starts keep the nursery open
  struct Release {
    TaskNursery& nursery;
    ~Release() { nursery.release(); }
  } const release{*this};
  open_task_nursery([&](TaskNursery& temporary) {
    slot.temporary = &temporary;
    slot.child = &temporary.spawn(std::move(body), closure, std::move(name), where);
  });
  if (slot.started) return;
  Loop::current().check_cancelled();
  throw UsageError(
      "the task given to start() ended without calling status.started(): call it when the task is "
      "ready");
}

namespace detail {

void StartSlot::on_started() noexcept {
  started = true;
  // A task whose starter is cancelled stays the starter's, and ends with it.
  if (temporary->scope_.effectively_cancelled()) return;
  static_cast<ListHook<InNursery>&>(*child).unlink();
  --temporary->children_count_;
  child->nursery = &target;
  target.children_.push_back(*child);
  ++target.children_count_;
  temporary->scope_.rehome(*child, target.scope_);
  temporary->wake_if_empty();
}

void StartSlot::check_can_start() const {
  if (started)
    throw UsageError("status.started() was called twice; a task says only once that it is ready");
  if (child == nullptr) {
    throw UsageError(
        "status.started() was called after the task had ended; call it before, when the task is "
        "ready");
  }
}

NurseryHolder::~NurseryHolder() {
  if (Loop* loop = Loop::try_current()) loop->keep_ended(std::move(nursery_));
}

void throw_no_value() {
  throw UsageError(
      "the nursery's body was cancelled by its own nursery before it returned its value; let the "
      "body return nothing, "
      "or an optional, when the nursery may be cancelled");
}

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/nursery.h"

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
  children_.push_back(task);
  ++children_count_;
  return task;
}

void TaskNursery::on_task_end(Task& task, std::exception_ptr error, bool cancelled) noexcept {
  static_cast<ListHook<detail::InNursery>&>(task).unlink();
  --children_count_;
  saw_cancelled_ |= cancelled;
  if (error) add_error(std::move(error));
  wake_if_empty();
}

void TaskNursery::add_error(std::exception_ptr error) noexcept {
  errors_.push_back(std::move(error));
  if (!scope_.cancel_called())
    scope_.cancel_with({CancelSource::nursery, "a task of the nursery failed", {}});
}

void TaskNursery::release() noexcept {
  --holds_;
  wake_if_empty();
}

void TaskNursery::wake_if_empty() noexcept {
  update_status();
  if (children_count_ + holds_ > 0 || opener_wait_ == nullptr) return;
  Loop::current().wake(*std::exchange(opener_wait_, nullptr)->task);
}

// Children see every cancellation that the opener would, through the scope; so the opener waits for
// them shielded.
void TaskNursery::await_children() noexcept {
  Loop& loop = Loop::current();
  while (children_count_ + holds_ > 0) {
    Wait wait{.what = "children of the nursery"};
    opener_wait_ = &wait;
    loop.park_shielded(wait);
  }
}

void TaskNursery::wait_all() {
  await_children();
  Loop::current().check_cancelled();
}

void TaskNursery::run_body(detail::BodyRef body) {
  scope_.enter();
  std::exception_ptr cancelled;
  try {
    body();
  } catch (const Cancelled&) {
    cancelled = std::current_exception();
  } catch (...) {
    add_error(std::current_exception());
  }
  on_body_end(!errors_.empty());
  if (children_count_ + holds_ > 0) {
    await_children();
  } else {
    Loop::current().spend();
  }
  closed_ = true;
  const bool absorbed = scope_.leave_absorbing();
  update_status();
  if (!errors_.empty()) {
    absorb(cancelled);
    throw_collected(std::move(errors_), "a nursery");
  }
  if (absorbed) return absorb(cancelled);
  if (cancelled) std::rethrow_exception(cancelled);
  if (saw_cancelled_) Loop::current().check_cancelled();
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
                                 const std::type_info& closure, SourceLocation where) {
  if (closed_) throw UsageError("this nursery has ended: start tasks from inside of its block");
  hold();  // pending starts keep the nursery open
  struct Release {
    TaskNursery& nursery;
    ~Release() { nursery.release(); }
  } const release{*this};
  open_task_nursery([&](TaskNursery& temporary) {
    slot.temporary = &temporary;
    slot.child = &temporary.spawn(std::move(body), closure, {}, where);
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

void throw_started_twice() {
  throw UsageError("status.started() was called twice; a task says only once that it is ready");
}

void throw_no_value() {
  throw UsageError(
      "the nursery's body was cancelled by its own nursery before it returned its value; let the "
      "body return nothing, "
      "or an optional, when the nursery may be cancelled");
}

}  // namespace detail
}  // namespace troupe

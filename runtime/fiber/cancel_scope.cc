// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/cancel_scope.h"

#include <utility>

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

CancelScope::CancelScope(const CancelScopeOptions& options)
    : CancelScope(options.deadline, options.shield) {
  if (!options.relative_deadline) return;
  if (deadline_ != never)
    throw UsageError("a CancelScope has a deadline or a relative deadline: give one of the two");
  relative_ = detail::to_delay(*options.relative_deadline);
}

void CancelScope::on_deadline(DeadlineEntry& entry) noexcept {
  static_cast<Expiry&>(entry).scope->cancel_with({CancelSource::deadline, {}, {}});
}

CancelScope::~CancelScope() {
  if (expiry_.queued()) Loop::current().deadlines().remove(expiry_);
}

void CancelScope::enter() {
  if (state_ != State::unbound) {
    throw UsageError("a CancelScope is entered once, by one task: make a new scope for each use");
  }
  Loop& loop = Loop::current();
  Task& task = loop.current_task();
  if (is_relative())
    deadline_ = detail::saturating_add(loop.now(), std::exchange(relative_, Duration::max()));
  if (deadline_ != never) {  // first: it may throw
    if (deadline_ <= loop.now()) {
      cancel_with({CancelSource::deadline, {}, {}});
    } else if (!cancel_called_) {
      arm_deadline();
    }
  }
  state_ = State::active;
  owner_ = &task;
  parent_ = task.scope;
  parent_->children_.push_back(*this);
  static_cast<ListHook<detail::InScope>&>(task).unlink();
  adopt(task);
  effectively_cancelled_ = compute_effective();
}

void CancelScope::leave() noexcept {
  if (expiry_.queued()) Loop::current().deadlines().remove(expiry_);
  state_ = State::exited;
  unlink();
  static_cast<ListHook<detail::InScope>&>(*owner_).unlink();
  parent_->adopt(*owner_);
  parent_ = nullptr;  // it may go before this one does
}

bool CancelScope::leave_absorbing() noexcept {
  const bool from_outside = !shield_ && parent_->effectively_cancelled_;
  leave();
  cancelled_caught_ = cancel_called_ && !from_outside;
  return cancelled_caught_;
}

bool CancelScope::leave_cancelled(const Cancelled& cancelled) noexcept {
  if (!leave_absorbing()) return false;
  cancelled.absorb();
  return true;
}

void CancelScope::adopt(Task& task) noexcept {
  task.scope = this;
  tasks_.push_back(task);
}

void CancelScope::rehome(Task& task, CancelScope& target) noexcept {
  if (task.scope == this) {
    static_cast<ListHook<detail::InScope>&>(task).unlink();
    target.adopt(task);
    if (target.effectively_cancelled_) Loop::current().deliver_cancel(task);
  } else {
    CancelScope* outermost = task.scope;
    while (outermost->parent_ != this) outermost = outermost->parent_;
    outermost->unlink();
    outermost->parent_ = &target;
    target.children_.push_back(*outermost);
    outermost->recalculate();
  }
}

void CancelScope::cancel(std::string reason) {
  if (cancel_called_) return;
  Loop* loop = Loop::try_current();
  if (loop == nullptr && state_ == State::active) {
    throw UsageError(
        "a CancelScope is cancelled by tasks of its own loop; from another thread, post a function "
        "that does it through a LoopToken");
  }
  cancel_with({CancelSource::explicit_call, std::move(reason),
               loop != nullptr ? loop->running_task_name() : ""});
}

void CancelScope::cancel_with(CancelReason reason) {
  if (cancel_called_) return;
  reason_ = std::make_shared<const CancelReason>(std::move(reason));
  cancel_called_ = true;
  recalculate();
}

bool CancelScope::cancel_called() noexcept {
  // Nobody watches the deadline of a scope that was not entered; and a task that computes may look
  // before the loop can.
  if (!cancel_called_ && deadline_ != never && state_ != State::exited &&
      Loop::try_current() != nullptr && deadline_ <= Loop::current().now()) {
    cancel_with({CancelSource::deadline, {}, {}});
  }
  return cancel_called_;
}

TimePoint CancelScope::deadline() const noexcept {
  if (!is_relative()) return deadline_;
  Loop* loop = Loop::try_current();
  return loop != nullptr ? detail::saturating_add(loop->now(), relative_) : never;
}

void CancelScope::set_deadline(TimePoint deadline) {
  deadline_ = deadline;
  relative_ = Duration::max();
  if (state_ != State::active) return;
  Loop& loop = Loop::current();
  loop.deadlines().remove(expiry_);
  if (cancel_called_ || deadline_ == never) return;
  if (deadline_ <= loop.now()) return cancel_with({CancelSource::deadline, {}, {}});
  arm_deadline();
}

void CancelScope::set_relative(Duration delay) {
  if (state_ != State::unbound) {
    throw UsageError(
        "a relative deadline counts from entry, and this CancelScope was entered: use "
        "set_deadline");
  }
  deadline_ = never;
  relative_ = delay;
}

void CancelScope::set_shield(bool shield) {
  shield_ = shield;
  recalculate();
}

void CancelScope::arm_deadline() { Loop::current().deadlines().add(expiry_, deadline_); }

bool CancelScope::compute_effective() const noexcept {
  return cancel_called_ || (!shield_ && parent_ != nullptr && parent_->effectively_cancelled_);
}

// Walks the tree below in pre-order, by links instead of recursion (scopes may be nested by the
// thousand), and stops at scopes whose state does not change.
void CancelScope::recalculate() noexcept {
  CancelScope* scope = this;
  for (;;) {
    const bool effective = scope->compute_effective();
    const bool changed = effective != scope->effectively_cancelled_;
    scope->effectively_cancelled_ = effective;
    if (effective && (changed || scope == this)) {
      scope->tasks_.for_each([](Task& task) { Loop::current().deliver_cancel(task); });
    }
    if ((changed || scope == this) && !scope->children_.empty()) {
      scope = &scope->children_.front();
      continue;
    }
    while (scope != this && scope->parent_->children_.next(*scope) == nullptr)
      scope = scope->parent_;
    if (scope == this) return;
    scope = scope->parent_->children_.next(*scope);
  }
}

std::shared_ptr<const CancelReason> CancelScope::effective_reason() const noexcept {
  // The outermost cancelled scope is the one that catches, so its reason is the one that matters.
  const CancelScope* source = nullptr;
  // Not cancelled (any more): a shield was raised after the cancellation had been delivered, so
  // shields do not count.
  const bool withdrawn = !effectively_cancelled_;
  for (const CancelScope* scope = this;
       scope != nullptr && (withdrawn || scope->effectively_cancelled_); scope = scope->parent_) {
    if (scope->cancel_called_) source = scope;
    if (scope->shield_ && !withdrawn) break;
  }
  return source != nullptr ? source->reason_ : nullptr;
}

std::string CancelScope::status_text() {
  std::string text = state_ == State::unbound  ? "unbound"
                     : state_ == State::active ? "active"
                                               : "exited";
  if (cancel_called()) text += ", cancelled";
  if (is_relative()) {
    return text + ", deadline " + std::to_string(std::chrono::duration<double>(relative_).count()) +
           " s after entry";
  }
  if (deadline_ == never || Loop::try_current() == nullptr) return text;
  // In floating point: the deadline may be as far away as the type allows.
  const double left =
      std::chrono::duration<double>(deadline_.time_since_epoch()).count() -
      std::chrono::duration<double>(Loop::current().now().time_since_epoch()).count();
  return text + ", deadline " +
         (left < 0 ? "passed " + std::to_string(-left) + " s ago"
                   : "in " + std::to_string(left) + " s");
}

}  // namespace troupe

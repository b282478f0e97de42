// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/cancel_scope.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

CancelScope::CancelScope(CancelScopeOptions options)
    : shield_(options.shield), deadline_(options.deadline) {
  expiry_.scope = this;
  expiry_.fire = [](DeadlineEntry& entry) noexcept {
    static_cast<Expiry&>(entry).scope->cancel_with({CancelSource::deadline, {}, {}});
  };
}

CancelScope::~CancelScope() {
  if (expiry_.queued()) Loop::current().deadlines().remove(expiry_);
}

void CancelScope::enter() {
  if (state_ != State::unbound) {
    throw UsageError("a CancelScope is entered once, by one task: make a new scope for each use");
  }
  Task& task = Loop::current().current_task();
  state_ = State::active;
  owner_ = &task;
  parent_ = task.scope;
  parent_->children_.push_back(*this);
  static_cast<ListHook<detail::InScope>&>(task).unlink();
  adopt(task);
  if (deadline_ != never) {
    arm_deadline();
    if (deadline_ <= Loop::current().now()) cancel_with({CancelSource::deadline, {}, {}});
  }
  effectively_cancelled_ = compute_effective();
}

void CancelScope::leave() noexcept {
  if (expiry_.queued()) Loop::current().deadlines().remove(expiry_);
  state_ = State::exited;
  unlink();
  static_cast<ListHook<detail::InScope>&>(*owner_).unlink();
  parent_->adopt(*owner_);
}

bool CancelScope::leave_absorbing() noexcept {
  leave();
  const bool from_outside = !shield_ && parent_->effectively_cancelled_;
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
  } else {
    CancelScope* outermost = task.scope;
    while (outermost->parent_ != this) outermost = outermost->parent_;
    outermost->unlink();
    outermost->parent_ = &target;
    target.children_.push_back(*outermost);
  }
  target.recalculate();
}

void CancelScope::cancel(std::string reason) {
  if (cancel_called_) return;
  Loop* loop = Loop::try_current();
  cancel_with({CancelSource::explicit_call, std::move(reason),
               loop != nullptr ? loop->running_task_name() : ""});
}

void CancelScope::cancel_with(CancelReason reason) {
  if (cancel_called_) return;
  cancel_called_ = true;
  reason_ = std::make_shared<const CancelReason>(std::move(reason));
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

void CancelScope::set_deadline(TimePoint deadline) {
  deadline_ = deadline;
  if (state_ != State::active) return;
  Loop::current().deadlines().remove(expiry_);
  if (cancel_called_) return;
  if (deadline_ != never) arm_deadline();
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
  for (const CancelScope* scope = this; scope != nullptr && scope->effectively_cancelled_;
       scope = scope->parent_) {
    if (scope->cancel_called_) source = scope;
    if (scope->shield_) break;
  }
  return source != nullptr ? source->reason_ : nullptr;
}

std::string CancelScope::status_text() {
  std::string text = state_ == State::unbound  ? "unbound"
                     : state_ == State::active ? "active"
                                               : "exited";
  if (cancel_called()) text += ", cancelled";
  if (deadline_ == never || Loop::try_current() == nullptr) return text;
  const double left = std::chrono::duration<double>(deadline_ - Loop::current().now()).count();
  return text + ", deadline " +
         (left < 0 ? "passed " + std::to_string(-left) + " s ago"
                   : "in " + std::to_string(left) + " s");
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cancel scopes, with trio's rules: cancellation is level-triggered (it stays until the scope is
// left), scoped (everything below is cancelled, nothing else), and delivered at checkpoints only.
// Scopes form a tree along tasks and nurseries; a shielded scope hides its parent's cancellation
// from what is inside of it.

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/cancelled.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/deadline_entry.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

class CancelScope;

namespace detail {
struct InParentScope;

/// What a scope's or nursery's body may be: a callable that takes nothing, or the scope.
template <class Body>
concept ScopeBody = std::invocable<Body&, CancelScope&> || std::invocable<Body&>;

/// Calls a body with the scope if it wants it.
template <class Body>
decltype(auto) call_body(Body& body, CancelScope& scope) {
  if constexpr (std::invocable<Body&, CancelScope&>) {
    return body(scope);
  } else {
    return body();
  }
}

template <class Body>
using BodyResult =
    std::decay_t<decltype(call_body(std::declval<Body&>(), std::declval<CancelScope&>()))>;
}  // namespace detail

/// What came out of a scope: the body's value, or that the scope absorbed a cancellation. A value.
template <class R>
class ScopeResult {
 public:
  /// Whether the body came to its end.
  explicit operator bool() const noexcept { return value_.has_value(); }
  /// Whether the scope absorbed a cancellation: the body did not come to its end.
  bool cancelled_caught() const noexcept { return !value_.has_value(); }
  /// The body's value. Undefined when there is none.
  R& operator*() & noexcept { return *value_; }
  /// The same, of a constant result.
  const R& operator*() const& noexcept { return *value_; }
  /// The body's value, moved out.
  R&& operator*() && noexcept { return *std::move(value_); }
  /// Member access to the body's value.
  R* operator->() noexcept { return &*value_; }
  /// The same, of a constant result.
  const R* operator->() const noexcept { return &*value_; }

 private:
  friend class CancelScope;
  std::optional<R> value_;
};

/// What came out of a scope whose body returns nothing.
template <>
class ScopeResult<void> {
 public:
  /// Whether the body came to its end.
  explicit operator bool() const noexcept { return finished_; }
  /// Whether the scope absorbed a cancellation.
  bool cancelled_caught() const noexcept { return !finished_; }

 private:
  friend class CancelScope;
  bool finished_ = false;
};

/// How a scope starts out.
struct CancelScopeOptions {
  TimePoint deadline = never;  ///< When it is cancelled by itself.
  bool shield = false;         ///< Whether it hides cancellation from outside.
  /// The same as a time limit that counts from entry; give one of the two.
  std::optional<std::chrono::duration<double>> relative_deadline = {};
};

/// A region of one task that can be cancelled. Resource: entered once, by one task; it may be
/// cancelled, shielded and given a deadline before that, and be cancelled by any task of the same
/// loop.
class CancelScope final : public ListHook<detail::InParentScope> {
 public:
  /// Neither deadline nor shield.
  CancelScope() noexcept : CancelScope(never, false) {}
  /// Throws `UsageError` when both kinds of deadline are given, or one that is negative or NaN.
  explicit CancelScope(const CancelScopeOptions& options);
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;
  ~CancelScope();

  /// Runs `body` (which takes nothing, or this scope) inside of the scope and absorbs the
  /// `Cancelled` that belongs to it. No checkpoint by itself. Throws `UsageError` when the scope
  /// was entered before.
  template <detail::ScopeBody Body>
  ScopeResult<detail::BodyResult<Body>> run(Body&& body) {
    using R = detail::BodyResult<Body>;
    ScopeResult<R> result;
    enter();
    try {
      if constexpr (std::is_void_v<R>) {
        detail::call_body(body, *this);
        result.finished_ = true;
      } else {
        result.value_.emplace(detail::call_body(body, *this));
      }
    } catch (const Cancelled& cancelled) {
      if (!leave_cancelled(cancelled)) throw;
      return result;
    } catch (...) {
      leave();
      throw;
    }
    leave();
    return result;
  }

  /// Cancels everything inside, now and from now on. The first reason is kept. Never waits. Throws
  /// `UsageError` when called from a thread that has no loop while a task is inside.
  void cancel(std::string reason = {});
  /// Whether `cancel` was called or the deadline came, here (not outside).
  bool cancel_called() noexcept;
  /// Whether the scope absorbed a cancellation when it was left.
  bool cancelled_caught() const noexcept { return cancelled_caught_; }
  /// Why it was cancelled; null when it was not.
  const CancelReason* reason() const noexcept { return reason_.get(); }

  /// When it is cancelled by itself; `never` by default. Of a relative deadline before entry: what
  /// it would be if the scope were entered now (`never` outside of a task).
  TimePoint deadline() const noexcept;
  /// Changes the deadline, earlier or later; one that has passed cancels at once. A scope that was
  /// cancelled stays so.
  void set_deadline(TimePoint deadline);
  /// Whether it has a deadline that will count from entry.
  bool is_relative() const noexcept { return relative_ != Duration::max(); }
  /// Sets a deadline that will count from entry. Throws `UsageError` for a negative delay or NaN,
  /// and when the scope was entered: use `set_deadline` then.
  template <class Rep, class Period>
  void set_relative_deadline(std::chrono::duration<Rep, Period> delay) {
    set_relative(detail::to_delay(delay));
  }
  /// Whether cancellation from outside is hidden.
  bool shield() const noexcept { return shield_; }
  /// Hides cancellation from outside, or lets it in: it is then delivered at once.
  void set_shield(bool shield);

  /// "unbound", "active", "cancelled" or "exited", with the deadline.
  std::string status_text();

  // For the runtime.

  /// Whether code right inside of this scope is cancelled: by it, or by an outer one that no shield
  /// hides.
  bool effectively_cancelled() const noexcept { return effectively_cancelled_; }
  /// The reason that code right inside of this scope gets.
  std::shared_ptr<const CancelReason> effective_reason() const noexcept;
  /// The scope around, null for the outermost or when not entered.
  CancelScope* parent() const noexcept { return parent_; }
  /// The task that has entered it, null before.
  Task* owner() const noexcept { return owner_; }
  /// Cancels with a reason in full.
  void cancel_with(CancelReason reason);
  /// Enters as the current task's innermost scope.
  void enter();
  /// Leaves without a cancellation.
  void leave() noexcept;
  /// Leaves on `cancelled`; returns whether it belongs to this scope and is absorbed.
  bool leave_cancelled(const Cancelled& cancelled) noexcept;
  /// Leaves; returns whether a cancellation seen inside belongs to this scope.
  bool leave_absorbing() noexcept;
  /// Adds a task, which starts right inside of this scope.
  void adopt(Task& task) noexcept;
  /// Moves a task that was started right inside of this scope, with the scopes it has entered, to
  /// `target`.
  void rehome(Task& task, CancelScope& target) noexcept;
  /// Becomes an outermost scope, entered by nobody: the root of a loop's tree.
  void become_root() noexcept { state_ = State::active; }

 private:
  CancelScope(TimePoint deadline, bool shield) noexcept : shield_(shield), deadline_(deadline) {
    expiry_.scope = this;
    expiry_.fire = &CancelScope::on_deadline;
  }

  enum class State { unbound, active, exited };

  struct Expiry : DeadlineEntry {
    CancelScope* scope;
  };

  static void on_deadline(DeadlineEntry& entry) noexcept;
  void set_relative(Duration delay);
  void recalculate() noexcept;
  bool compute_effective() const noexcept;
  void arm_deadline();

  State state_ = State::unbound;
  bool cancel_called_ = false;
  bool cancelled_caught_ = false;
  bool effectively_cancelled_ = false;
  bool shield_;
  TimePoint deadline_;
  Duration relative_ = Duration::max();  // until entered; max: none
  Expiry expiry_;
  CancelScope* parent_ = nullptr;
  Task* owner_ = nullptr;
  IntrusiveList<CancelScope, detail::InParentScope> children_;
  IntrusiveList<Task, detail::InScope> tasks_;
  std::shared_ptr<const CancelReason> reason_;
};

}  // namespace troupe

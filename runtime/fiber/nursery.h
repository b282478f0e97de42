// SPDX-License-Identifier: Apache-2.0
#pragma once

// Task nurseries: a scope that cannot be left before all its children have ended. The first error
// cancels the rest; one error leaves as itself, two or more as an `ExceptionGroup`. (trio's
// nurseries.) A failure counts once, however many waits it ended: see `Error::origin`.

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/source_location.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

class TaskNursery;
template <class T>
class TaskStatus;

/// What can still be asked of a nursery after its block. A value.
struct NurseryStatus {
  /// Whether the nursery was cancelled, by a call or by an error.
  bool cancel_called() const noexcept { return flags->cancel_called; }
  /// Whether the nursery's scope absorbed a cancellation.
  bool cancelled_caught() const noexcept { return flags->cancelled_caught; }
  /// How many children live.
  std::size_t child_count() const noexcept { return flags->children; }

  /// What the nursery keeps up to date while it lives.
  struct Flags {
    bool cancel_called = false;     ///< As the function of that name.
    bool cancelled_caught = false;  ///< As the function of that name.
    std::size_t children = 0;       ///< As `child_count()`.
  };
  std::shared_ptr<const Flags> flags;  ///< Shared with the nursery.
};

namespace detail {

/// A borrowed callable: no allocation, valid during the call it is passed to.
class BodyRef {
 public:
  template <class F>
  explicit BodyRef(F& callable)
      : object_(&callable), call_([](void* object) { (*static_cast<F*>(object))(); }) {}
  void operator()() const { call_(object_); }

 private:
  void* object_;
  void (*call_)(void*);
};

struct StartSlot;
void spawn_system_task(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
                       SourceLocation where);

/// What it takes to make a nursery, so that users cannot.
class NurseryKey {
  NurseryKey() = default;
  friend struct NurseryFactory;
};
struct NurseryFactory {
  static NurseryKey key() { return {}; }
};

template <class Fn>
concept TaskBody = std::invocable < std::decay_t<Fn>
& > ;

}  // namespace detail

/// Starts tasks and waits for them. Resource; made by `open_task_nursery` only.
class TaskNursery {
 public:
  // The compiler shows these lines, with what to do instead, to who tries.
  TaskNursery() = delete;                    // open_task_nursery makes it, for its body
  TaskNursery(const TaskNursery&) = delete;  // it stays in its block: pass a TaskNursery& on
  TaskNursery& operator=(const TaskNursery&) = delete;

  /// Starts a task that runs `fn` (copied or moved in), and returns at once. Its error cancels the
  /// nursery; its value is dropped. Throws `UsageError` when the nursery has ended.
  template <detail::TaskBody Fn>
  void start_soon(Fn&& fn, SourceLocation where = SourceLocation::current()) {
    start_named({}, std::forward<Fn>(fn), where);
  }
  /// The same, with a name for task trees and reports.
  template <detail::TaskBody Fn>
  void start_soon(std::string name, Fn&& fn, SourceLocation where = SourceLocation::current()) {
    start_named(std::move(name), std::forward<Fn>(fn), where);
  }

  /// Starts a task and waits until it calls `status.started(value)`; returns that value. The task
  /// belongs to this nursery from then on; before, it is the caller's: cancelled with the caller,
  /// and its error comes out here. Checkpoint, but in a cancelled scope the task begins all the
  /// same, and is started if it says so before it waits. Throws `UsageError` when the task ends
  /// without having called `started`.
  template <class T = void, std::invocable<TaskStatus<T>&> Fn>
  T start(Fn&& fn, SourceLocation where = SourceLocation::current()) {
    return start_named<T>({}, std::forward<Fn>(fn), where);
  }
  /// The same, with a name for task trees and reports.
  template <class T = void, std::invocable<TaskStatus<T>&> Fn>
  T start(std::string name, Fn&& fn, SourceLocation where = SourceLocation::current()) {
    return start_named<T>(std::move(name), std::forward<Fn>(fn), where);
  }

  /// Waits until no child is left. Checkpoint, after which no child is left, whether it returns or
  /// throws: cancellation reaches the children through the nursery's scope, not through a scope
  /// around this call. Throws `UsageError` in other tasks than the body's.
  void wait_all();

  /// Cancels the nursery's scope: body and children. Never waits.
  void cancel(std::string reason = {}) { cancel_scope().cancel(std::move(reason)); }
  /// Whether the nursery was cancelled, by a call or by an error.
  bool cancel_called() noexcept { return scope_.cancel_called(); }
  /// Whether the nursery's scope absorbed a cancellation.
  bool cancelled_caught() const noexcept { return scope_.cancelled_caught(); }
  /// The scope around body and children.
  CancelScope& cancel_scope() noexcept { return scope_; }
  /// How many children live.
  std::size_t child_count() const noexcept { return children_count_; }
  /// A copy of what may be asked after the block, too.
  NurseryStatus status();

  // For the runtime.

  /// A child has failed, and is about to end.
  void on_task_error(const Task& task, std::exception_ptr error) noexcept;
  /// A child has ended.
  void on_task_end(Task& task, bool cancelled) noexcept;
  /// An error from elsewhere (a child process, say) is one of this nursery's.
  void add_error(std::exception_ptr error) noexcept;
  /// Keeps the nursery open, as a child does, until `release`.
  void hold() noexcept { ++holds_; }
  /// Ends a `hold`. `cancelled`: what it stood for was cancelled, as a task that raises
  /// `Cancelled`.
  void release(bool cancelled = false) noexcept;

  /// Runs the body inside of the nursery and leaves it: waits for the children, and throws what is
  /// to be thrown.
  void run_body(detail::BodyRef body);
  /// Only the functions that open nurseries have the key.
  explicit TaskNursery(detail::NurseryKey) {}
  virtual ~TaskNursery() = default;

 protected:
  /// Called when the body waits for the children, at its end or in `wait_all`. Must not wait.
  virtual void on_body_end() {}
  /// Called when a child has ended, and is no longer counted. Must not wait.
  virtual void on_child_end() noexcept {}
  /// Called when everything in the nursery has ended and some of it was cancelled, by the nursery
  /// or from outside. Must not wait.
  virtual void on_cancelled() {}

 private:
  friend struct detail::StartSlot;
  friend void detail::spawn_system_task(UniqueFunction<void()>, const std::type_info&, std::string,
                                        SourceLocation);

  template <class Fn>
  void start_named(std::string name, Fn&& fn, SourceLocation where) {
    using Held = std::decay_t<Fn>;
    // Made in place: a copy on this stack would have octets in its padding that look like
    // addresses to the guard (dangling_guard.h).
    Task& task = spawn(UniqueFunction<void()>(std::in_place_type<Held>, std::forward<Fn>(fn)),
                       typeid(Held), std::move(name), where);
    if constexpr (std::is_class_v<Held>) task.body_origin = std::addressof(fn);
  }
  Task& spawn(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
              SourceLocation where);
  template <class T, class Fn>
  T start_named(std::string name, Fn&& fn, SourceLocation where);
  void start_and_wait(detail::StartSlot& slot, UniqueFunction<void()> body,
                      const std::type_info& closure, std::string name, SourceLocation where);
  void fail(std::exception_ptr error, const char* who, std::string task) noexcept;
  bool await_children() noexcept;
  bool leave_scope(bool body_cancelled) noexcept;
  static void absorb(const std::exception_ptr& cancelled) noexcept;
  void wake_if_empty() noexcept;
  void update_status() noexcept;

  CancelScope scope_;
  IntrusiveList<Task, detail::InNursery> children_;
  std::size_t children_count_ = 0;
  std::size_t holds_ = 0;
  std::vector<std::exception_ptr> errors_;
  bool saw_cancelled_ = false;
  bool closed_ = false;
  Wait* opener_wait_ = nullptr;
  bool opener_cancelled_ = false;
  std::shared_ptr<NurseryStatus::Flags> status_;
};

namespace detail {

/// One `start` in progress. Shared by the caller of `start` and the task's `TaskStatus`, either of
/// which may live longer.
struct StartSlot {
  explicit StartSlot(TaskNursery& nursery) : target(nursery) {}

  TaskNursery& target;
  TaskNursery* temporary = nullptr;
  Task* child = nullptr;  // null once the task has ended
  bool started = false;

  /// Throws `UsageError` when it is not the time to call `started`.
  void check_can_start() const;
  /// The child has called `started`: it moves to the target nursery.
  void on_started() noexcept;
};

/// A `StartSlot` with the place for the value.
template <class T>
struct StartSlotOf : StartSlot {
  using StartSlot::StartSlot;
  std::optional<T> value;
};
template <>
struct StartSlotOf<void> : StartSlot {
  using StartSlot::StartSlot;
};

/// Marks the end of a task begun by `start`.
struct StartEnd {
  std::shared_ptr<StartSlot> slot;  // shared with the caller of `start`
  ~StartEnd() { slot->child = nullptr; }
};

/// The body of a task begun by `start`.
template <class T, class Held>
struct StartBody {
  template <class Fn>
  StartBody(Fn&& fn, TaskStatus<T> task_status)
      : held(std::forward<Fn>(fn)), status(std::move(task_status)) {}
  void operator()() {
    const StartEnd end{status.slot_};
    static_cast<void>(held(status));
  }
  Held held;
  TaskStatus<T> status;
};

}  // namespace detail

/// Given to a task begun by `start`, to say that it is ready. Copyable; outlives the task safely.
template <class T>
class TaskStatus {
 public:
  TaskStatus(const TaskStatus&) = default;  // and no moves: they would leave an empty one behind
  TaskStatus& operator=(const TaskStatus&) = default;

  /// Says that the task is ready: `start` returns `value`. Never waits. Throws `UsageError` when
  /// called twice, or when the task has ended.
  void started(T value) {
    slot_->check_can_start();
    slot_->value.emplace(std::move(value));
    slot_->on_started();
  }

 private:
  friend class TaskNursery;
  template <class, class>
  friend struct detail::StartBody;
  explicit TaskStatus(std::shared_ptr<detail::StartSlotOf<T>> slot) : slot_(std::move(slot)) {}
  std::shared_ptr<detail::StartSlotOf<T>> slot_;  // shared with the caller of `start`
};

/// A `TaskStatus` without a value.
template <>
class TaskStatus<void> {
 public:
  TaskStatus(const TaskStatus&) = default;
  TaskStatus& operator=(const TaskStatus&) = default;

  /// Says that the task is ready. Never waits. Throws `UsageError` when called twice, or when the
  /// task has ended.
  void started() {
    slot_->check_can_start();
    slot_->on_started();
  }

 private:
  friend class TaskNursery;
  template <class, class>
  friend struct detail::StartBody;
  explicit TaskStatus(std::shared_ptr<detail::StartSlotOf<void>> slot) : slot_(std::move(slot)) {}
  std::shared_ptr<detail::StartSlotOf<void>> slot_;  // shared with the caller of `start`
};

template <class T, class Fn>
T TaskNursery::start_named(std::string name, Fn&& fn, SourceLocation where) {
  using Held = std::decay_t<Fn>;
  const auto slot = std::make_shared<detail::StartSlotOf<T>>(*this);
  UniqueFunction<void()> body(std::in_place_type<detail::StartBody<T, Held>>, std::forward<Fn>(fn),
                              TaskStatus<T>(slot));
  start_and_wait(*slot, std::move(body), typeid(Held), std::move(name), where);
  if constexpr (!std::is_void_v<T>) return std::move(*slot->value);
}

namespace detail {

template <class Body, class Nursery>
requires(std::invocable<Body&, Nursery&> || std::invocable<Body&>)  //
    decltype(auto) call_nursery_body(Body& body, Nursery& nursery) {
  if constexpr (std::invocable<Body&, Nursery&>) {
    return body(nursery);
  } else {
    return body();
  }
}

template <class Body, class Nursery>
using NurseryResult =
    std::decay_t<decltype(call_nursery_body(std::declval<Body&>(), std::declval<Nursery&>()))>;

[[noreturn]] void throw_no_value();

/// Owns a nursery while it is open. Afterwards the loop keeps it for a while, so that a reference
/// which was kept by mistake meets a nursery that says that it has ended.
class NurseryHolder {
 public:
  explicit NurseryHolder(std::unique_ptr<TaskNursery> nursery) : nursery_(std::move(nursery)) {}
  NurseryHolder(const NurseryHolder&) = delete;
  NurseryHolder& operator=(const NurseryHolder&) = delete;
  ~NurseryHolder();
  TaskNursery& operator*() const noexcept { return *nursery_; }

 private:
  std::unique_ptr<TaskNursery> nursery_;
};

/// Runs a body in a nursery of any kind, and gives its value.
template <class Nursery, class Body>
NurseryResult<Body, Nursery> run_nursery(Nursery& nursery, Body& body) {
  using R = NurseryResult<Body, Nursery>;
  if constexpr (std::is_void_v<R>) {
    auto call = [&] { call_nursery_body(body, nursery); };
    nursery.run_body(BodyRef(call));
  } else {
    std::optional<R> value;
    auto call = [&] { value.emplace(call_nursery_body(body, nursery)); };
    nursery.run_body(BodyRef(call));
    if (!value) throw_no_value();
    return std::move(*value);
  }
}

}  // namespace detail

/// What a nursery's body may be: a callable that takes the nursery, or nothing.
template <class Body>
concept TaskNurseryBody = std::invocable<Body&, TaskNursery&> || std::invocable<Body&>;

/// Opens a nursery, runs `body` with it, waits for all its children, and returns what the body
/// returned. Lets others run, but raises no cancellation by itself. Throws the error of the body or
/// of a child; several as an `ExceptionGroup`. A body that returns a value and is cancelled by its
/// own nursery before it can: `UsageError`. The body's locals die before the children are awaited:
/// what a task captures by reference must be declared outside.
template <TaskNurseryBody Body>
auto open_task_nursery(Body&& body) -> detail::NurseryResult<Body, TaskNursery> {
  static_assert(!std::derived_from<detail::NurseryResult<Body, TaskNursery>, TaskNursery>,
                "a nursery ends with its block: let the body return what its tasks computed, or "
                "n.status()");
  const detail::NurseryHolder nursery(std::make_unique<TaskNursery>(detail::NurseryFactory::key()));
  return detail::run_nursery(*nursery, body);
}

/// Refuses a body that takes something else.
template <class Body>
requires(!TaskNurseryBody<Body>) void open_task_nursery(Body&&) {
  static_assert(TaskNurseryBody<Body>,
                "the body of open_task_nursery takes a TaskNursery&, or nothing");
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What unwinds a task whose scope was cancelled. It is no std::exception, so that handlers of
// ordinary errors let it pass, and users cannot make one. `catch (...)` must rethrow it: a task
// that swallows it is reported by name, and gets it again at its next checkpoint.

#include <memory>
#include <string>

namespace troupe {

class Task;

namespace detail {
class Treatment;
}

/// Who or what cancelled a scope.
enum class CancelSource {
  explicit_call,  ///< `cancel()` was called.
  deadline,       ///< The scope's deadline came.
  nursery,        ///< A sibling task, or the body of the nursery, failed.
  shutdown,       ///< The loop or the actor ends.
  interrupt,      ///< SIGINT or SIGTERM, in the root.
};

/// The name of a source: "deadline".
const char* to_string(CancelSource source) noexcept;

/// Why a scope was cancelled; the first reason given to a scope is kept.
struct CancelReason {
  CancelSource source = CancelSource::explicit_call;  ///< Who or what did it.
  std::string text;                                   ///< The caller's words, may be empty.
  std::string task;  ///< The task that called `cancel`, may be empty.
};

/// Unwinds a task to the scope that was cancelled. Raised by checkpoints only.
class Cancelled final {
 public:
  Cancelled(const Cancelled&) = default;
  Cancelled& operator=(const Cancelled&) = default;

  /// Why the scope was cancelled.
  const CancelReason& reason() const noexcept;

 private:
  friend class Loop;
  friend class LoopCore;
  friend class CancelScope;
  friend class TaskNursery;
  friend class detail::Treatment;

  struct Delivery;  // reports the task when its last copy dies without having been absorbed
  Cancelled(std::shared_ptr<const CancelReason> reason, const Task& task);
  void absorb() const noexcept;

  std::shared_ptr<Delivery> delivery_;
};

}  // namespace troupe

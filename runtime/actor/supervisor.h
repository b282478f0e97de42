// SPDX-License-Identifier: Apache-2.0
#pragma once

// Supervision as plain data, in the words of Erlang's OTP: what a nursery does when one of its
// actors ends. A `Supervisor` is a function from an end to a decision, and how many restarts are
// too many; the four known strategies are such functions, and yours may be a fifth:
//
//     Supervisor race([](const ChildEnd& end, const Children&) {  // the first that returns ends it
//       return end.failed() ? Decision::ignore() : Decision::cancel_all();
//     });
//     open_nursery({.supervise = race}, body);

#include <sys/types.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// When an actor that has ended is started again, with OTP's meanings.
enum class Restart {
  temporary,  ///< Never.
  transient,  ///< When it failed: it died, or its function threw. Not when its function returned.
  permanent,  ///< Always, unless someone cancelled it.
};

/// How many restarts are too many, and how long each waits.
struct RestartLimits {
  int intensity = 3;  ///< With more restarts than these...
  std::chrono::nanoseconds period =
      std::chrono::seconds(5);  ///< ...in this time, the nursery fails with the last cause.
  /// How long an actor that ended stays away before it is started again; twice as long for each
  /// further restart of it within the period, up to 64 times. An actor's own `backoff` goes first.
  std::chrono::nanoseconds backoff{};
};

/// One actor of a nursery, as a strategy sees it.
struct ChildInfo {
  Uid uid{};                             ///< Its present incarnation, or its last.
  Restart restart = Restart::temporary;  ///< When it is started again.
  bool one_shot = false;  ///< Whether it was started by `run_in_actor`, to run a function.
  int restarts = 0;       ///< How often it was started again.
};

/// The actors of a nursery in the order in which they were started, without those that are gone for
/// good. Valid during the call that is given it.
class Children {
 public:
  /// For the runtime, and for tests of strategies. Lifetime: borrows what the pointers lead to.
  explicit Children(std::vector<const ChildInfo*> infos) : infos_(std::move(infos)) {}

  /// How many there are.
  std::size_t size() const noexcept { return infos_.size(); }
  /// One of them; undefined beyond `size()`.
  const ChildInfo& operator[](std::size_t index) const noexcept { return *infos_[index]; }

  /// For `for (const ChildInfo& child : children)`.
  class Iterator {
   public:
    explicit Iterator(const ChildInfo* const* at) : at_(at) {}
    const ChildInfo& operator*() const noexcept { return **at_; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const noexcept = default;

   private:
    const ChildInfo* const* at_;
  };
  /// The first of them.
  Iterator begin() const noexcept { return Iterator(infos_.data()); }
  /// After the last.
  Iterator end() const noexcept { return Iterator(infos_.data() + infos_.size()); }

 private:
  std::vector<const ChildInfo*> infos_;
};

/// The end of one actor, or of the function that a one-shot actor was to run.
struct ChildEnd {
  std::size_t child = 0;                 ///< Which of the `Children` it was.
  Uid uid{};                             ///< The incarnation that ended.
  pid_t pid = 0;                         ///< Its process.
  Restart restart = Restart::temporary;  ///< What was asked for it.
  /// Why: its `ActorDied`, the `RemoteActorError` of its function, the `SpawnFailed` of its
  /// restart. Null when its function returned.
  std::exception_ptr error{};

  /// Whether it was a failure.
  bool failed() const noexcept { return error != nullptr; }
  /// Whether OTP would start it again.
  bool wants_restart() const noexcept {
    return restart == Restart::permanent || (restart == Restart::transient && failed());
  }
};

/// What is to be done about an end. A value.
class Decision {
 public:
  /// Which of the four it is.
  enum class Kind {
    ignore,      ///< See `ignore()`.
    restart,     ///< See `restart()`.
    cancel_all,  ///< See `cancel_all()`.
    escalate     ///< See `escalate()`.
  };

  /// Nothing more: a failed actor is gone, which is logged as an error; one whose function returned
  /// goes on serving until the nursery's body has ended.
  static Decision ignore() { return Decision(Kind::ignore, {}); }
  /// Those of the `Children` end, the last started first, and are started again in their order. A
  /// temporary one among them is ended, and not started again.
  static Decision restart(std::vector<std::size_t> children) {
    return Decision(Kind::restart, std::move(children));
  }
  /// The error, if there is one, is the nursery's; everything in it is cancelled.
  static Decision cancel_all() { return Decision(Kind::cancel_all, {}); }
  /// The nursery gives up: it fails with this error, whatever its actors still fail with, and
  /// leaves the matter to who opened it.
  static Decision escalate() { return Decision(Kind::escalate, {}); }

  /// Which of the four.
  Kind kind() const noexcept { return kind_; }
  /// Whom to restart.
  const std::vector<std::size_t>& children() const noexcept { return children_; }

 private:
  Decision(Kind kind, std::vector<std::size_t> children)
      : kind_(kind), children_(std::move(children)) {}

  Kind kind_;
  std::vector<std::size_t> children_;
};

namespace detail {

/// A strategy as a function. It must not wait.
template <class Fn>
concept SupervisionStrategy = requires(Fn& fn, const ChildEnd& end, const Children& children) {
  { fn(end, children) } -> std::convertible_to<Decision>;
};

}  // namespace detail

/// What a nursery does when one of its actors ends. A value.
class Supervisor {
 public:
  /// A strategy of one's own: `fn(const ChildEnd&, const Children&) -> Decision`. It is called when
  /// an actor has failed, or its function has returned, but not for one that was cancelled. It must
  /// not wait; what it throws is the nursery's error. Copies share it. Throws `UsageError` for
  /// limits that are negative.
  template <detail::SupervisionStrategy Fn>
  explicit Supervisor(Fn&& fn, RestartLimits limits = {})
      : Supervisor(Strategy(std::forward<Fn>(fn)), limits, true) {}

  /// Asks the strategy.
  Decision decide(const ChildEnd& end, const Children& children) const {
    return strategy_(end, children);
  }
  /// How many restarts are too many.
  const RestartLimits& limits() const noexcept { return limits_; }
  /// Whether it may start actors again: all but `one_cancels_all`. Then they are shut down one
  /// after the other, the last started first; else all at once.
  bool restarts() const noexcept { return restarts_; }

 private:
  friend Supervisor one_cancels_all();
  using Strategy = SharedFunction<Decision(const ChildEnd&, const Children&)>;

  Supervisor(Strategy strategy, const RestartLimits& limits, bool restarts);

  Strategy strategy_;
  RestartLimits limits_;
  bool restarts_;
};

/// The first failure cancels everything in the nursery, and leaves it. What a nursery does unless
/// told otherwise.
Supervisor one_cancels_all();
/// An actor that ends is started again; the others go on.
Supervisor one_for_one(RestartLimits limits = {});
/// When an actor is to be started again, all are.
Supervisor one_for_all(RestartLimits limits = {});
/// When an actor is to be started again, those that were started after it are, too.
Supervisor rest_for_one(RestartLimits limits = {});

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The core of an actor nursery: its children in the order of their start, and what becomes of them
// and of the nursery when one ends. It asks the nursery's strategy and carries out the decision;
// the children's tasks do what takes time.

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/supervisor.h"
#include "troupe/runtime/fiber/clock.h"

namespace troupe {

class ChildSlot;
class TaskNursery;

/// What a nursery knows of its actors. Resource, of the nursery.
class Supervision {
 public:
  /// Lifetime: `nursery` must outlive it.
  Supervision(TaskNursery& nursery, Supervisor supervisor)
      : nursery_(nursery), supervisor_(std::move(supervisor)) {}
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  /// When an actor of this nursery is started again. Throws `UsageError` for options that cannot
  /// work here.
  Restart restart_of(const ActorOptions& options, bool one_shot) const;
  /// How many restarts are too many.
  const RestartLimits& limits() const noexcept { return supervisor_.limits(); }
  /// A place for the next child.
  std::size_t next_order() noexcept { return next_order_++; }
  /// The present children's uids, in the order of their start.
  std::vector<Uid> uids() const;

  /// A child serves for the first time, and counts from now on.
  void add(ChildSlot& child);
  /// It is gone for good.
  void remove(ChildSlot& child) noexcept;
  /// The nursery's body has ended. Never waits.
  void on_body_end();
  /// Whether it has.
  bool body_ended() const noexcept { return body_ended_; }
  /// Lets the helpers leave when the body has ended and no child but them is left. Never waits.
  void dismiss_helpers() noexcept;

  /// A child has failed with `error`, or its function has returned (null): asks the strategy, and
  /// tells the children and the nursery what comes of it. Never waits.
  void on_end(ChildSlot& child, const std::exception_ptr& error);
  /// Where children are shut down one after the other: waits until those that were started after
  /// `child` are gone.
  void wait_for_later(ChildSlot& child);

 private:
  Decision ask(const ChildSlot& child, const std::exception_ptr& error) const;
  void carry_out(const Decision& decision, ChildSlot& child, const std::exception_ptr& error);
  void drop(ChildSlot& child, const std::exception_ptr& error);
  void fail(ChildSlot& child, const std::exception_ptr& error);
  void give_up(ChildSlot& child, const std::exception_ptr& error);
  void restart(const Decision& decision, ChildSlot& child, const std::exception_ptr& error);
  bool too_often();
  std::vector<ChildSlot*> chosen(const Decision& decision) const;

  TaskNursery& nursery_;
  Supervisor supervisor_;
  std::size_t next_order_ = 0;
  std::vector<ChildSlot*> children_;  // in the order of their start
  std::deque<TimePoint> restarts_;    // those within the period
  bool body_ended_ = false;
  bool gave_up_ = false;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One child actor of a nursery over all its incarnations: its place among the others, what it is
// made of, and the task that looks after it. What is to be done when it ends is the supervision's
// to say (supervision.h); how, is done here.

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/actor/main_call.h"
#include "troupe/runtime/actor/restart_round.h"
#include "troupe/runtime/actor/result_portal.h"
#include "troupe/runtime/actor/supervised_peer.h"
#include "troupe/runtime/actor/supervisor.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/event.h"

namespace troupe {

class Actor;
class ChildActor;
class Supervision;

/// What a child actor is started from, each time anew.
struct ChildPlan {
  ActorOptions options;                 ///< As given, with a name.
  std::vector<FunctionName> functions;  ///< What it exposes beside its modules.
  Restart restart = Restart::temporary;
  /// Whether it is there for the nursery's other children, and leaves when none of them is left.
  bool is_helper = false;
  /// A one-shot's main function: the encoded call, and where its result goes. Null: a daemon.
  std::shared_ptr<MainOutcome> outcome{};
  Bytes call{};
};

/// One child actor over all its incarnations. Resource; held by the task that looks after it.
class ChildSlot : public std::enable_shared_from_this<ChildSlot> {
 public:
  /// `order` is its place among the nursery's children.
  ChildSlot(Actor& actor, Supervision& supervision, ChildPlan plan, std::size_t order);
  ChildSlot(const ChildSlot&) = delete;
  ChildSlot& operator=(const ChildSlot&) = delete;
  ~ChildSlot();

  /// Looks after the child, from its start to its end for good: the body of a task of the nursery.
  /// Calls `started` when it serves for the first time. Throws `SpawnFailed` when it cannot be
  /// started at all.
  void run(UniqueFunction<void()> started);

  /// What portals to it share.
  const std::shared_ptr<SupervisedPeer>& peer() const noexcept { return peer_; }
  /// What strategies see of it.
  const ChildInfo& info() const noexcept { return info_; }
  /// The process of its present incarnation, or of the last.
  pid_t pid() const noexcept { return link_ ? link_->pid : 0; }
  /// Its place among the nursery's children.
  std::size_t order() const noexcept { return order_; }
  /// Whether it is there for the nursery's other children alone.
  bool is_helper() const noexcept { return plan_.is_helper; }
  /// Whether there will be no other incarnation of it.
  bool over() const noexcept { return over_; }
  /// Set when it is gone for good.
  Event& gone() noexcept { return gone_; }

  // For the supervision. None of these waits.

  /// It takes part in a restart.
  void join(const std::shared_ptr<RestartRound>& round);
  /// There will be no other incarnation; `error` is what whoever waits for its result gets.
  void close(const std::exception_ptr& error);
  /// The nursery's body has ended.
  void on_body_end();
  /// It is to end in order, and for good.
  void leave() noexcept;

 private:
  void end_for_good(std::chrono::nanoseconds timeout);
  void finish();
  void settle(std::exception_ptr error);

  bool come_up(ChildActor& child);
  std::exception_ptr attempt(ChildActor& child, CancelScope& scope);
  std::chrono::nanoseconds next_delay();
  void serve(ChildActor& child);
  void wait_for_stop(ChildActor& child);
  bool has_ended_by_itself(ChildActor& child);
  static std::exception_ptr error_of(const MainCall* call, bool cancelled);
  void bury(ChildActor& child, const MainCall* call, bool cancelled);
  void end_and_report(ChildActor& child, const MainCall* call, bool cancelled);
  void report(const std::exception_ptr& error);
  std::unique_ptr<MainCall> call_main(ChildActor& child);

  Actor& actor_;
  Supervision& supervision_;
  ChildPlan plan_;
  std::size_t order_;
  ChildInfo info_;
  std::shared_ptr<SupervisedPeer> peer_;  // shared with portals
  std::shared_ptr<ChildLink> link_;       // of the present incarnation; shared with portals
  std::shared_ptr<RestartRound> round_;   // that it takes part in; shared with the others in it
  CancelScope* attempt_ = nullptr;        // to come up, while it is under way
  bool was_up_ = false;                   // and so is among the nursery's children
  bool returned_ = false;                 // its function has, in this incarnation
  bool over_ = false;                     // there will be no other incarnation
  std::exception_ptr last_cause_;
  int restarts_in_a_row_ = 0;
  TimePoint last_restart_{};
  Event gone_;
};

}  // namespace troupe

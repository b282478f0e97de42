// SPDX-License-Identifier: Apache-2.0
#pragma once

// One incarnation of a child actor in its parent: from the spawn over its readiness to the verdict
// on its end, down the ladder of ending it: ask, wait for its grace, kill, reap. Driven by the task
// that looks after the child (child_slot.h), which decides what comes then.

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/boot_spec.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/actor/remote_peer.h"
#include "troupe/spawn/child.h"

namespace troupe {

/// One incarnation of a child actor. Resource of the task that looks after it; its process never
/// outlives this object.
class ChildActor {
 public:
  /// Chooses the incarnation's identity and address. `functions` are what it exposes beside
  /// the modules of the options.
  ChildActor(Actor& parent, ActorOptions options, std::vector<FunctionName> functions);
  ChildActor(const ChildActor&) = delete;
  ChildActor& operator=(const ChildActor&) = delete;
  ~ChildActor();

  /// Starts the process and waits until it is registered and serves. Checkpoint: when cancelled,
  /// the half-booted process is killed and reaped. Throws `SpawnFailed` when it ends before, or
  /// cannot serve.
  void spawn();
  /// Waits until the process has ended, somebody wants it to end, or its function has returned: the
  /// link tells. Checkpoint.
  void wait();
  /// Waits until the process has ended, for `limit` at most. Checkpoint.
  void wait_for_process(std::chrono::nanoseconds limit);
  /// Whether the process has ended. Never waits.
  bool has_ended() { return process_->wait_nowait().has_value(); }
  /// Asks the actor to end, waits for its grace, kills what is left, reaps. Shielded; takes the
  /// grace at the longest, whatever the actor does.
  void end();
  /// After the end: reads its last words, and tells those who wait for its end how it was: with its
  /// `ActorDied`, or null when it took its leave or was ended by `end`. Shielded, bounded.
  std::exception_ptr verdict();

  /// After the end: takes it out of the directory, which may know it from this actor alone.
  /// Checkpoint, bounded.
  void leave_directory() { parent_.child_left(*link_); }

  /// What portals share.
  const std::shared_ptr<ChildLink>& link() const noexcept { return link_; }
  /// What portals call it over.
  std::shared_ptr<RemotePeer> peer() { return parent_.peer(link_->uid, link_->address); }

 private:
  std::vector<Address> choose_addresses() const;
  BootSpec boot_spec() const;
  void wait_until_ready(TimePoint deadline);
  void learn_address();
  void remove_sockets() const noexcept;
  [[noreturn]] void throw_boot_failure(const std::string& why) const;
  std::chrono::nanoseconds usual_grace() const;
  std::chrono::nanoseconds grace() const;
  void wait_for_debugger();
  void wait_for_grace(std::chrono::nanoseconds grace);
  std::exception_ptr judge();
  void finish();

  Actor& parent_;
  ActorOptions options_;
  std::vector<FunctionName> functions_;
  std::shared_ptr<ChildLink> link_;
  std::vector<Address> bind_;
  std::unique_ptr<Child> process_;
  ExitStatus status_ = ExitStatus::unknown();
  bool ended_by_us_ = false;
};

}  // namespace troupe

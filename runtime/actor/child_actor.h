// SPDX-License-Identifier: Apache-2.0
#pragma once

// One child actor in its parent: from the spawn over its readiness to the verdict on its end.
// Driven by the task that supervises it.

#include <chrono>
#include <memory>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/boot_spec.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/spawn/child.h"

namespace troupe {

/// A child actor. Resource of the task that supervises it; its process never outlives this object.
class ChildActor {
 public:
  /// Chooses the child's identity and address. `functions` are keys of what it exposes beside the
  /// modules of the options.
  ChildActor(Actor& parent, ActorOptions options, std::vector<std::string> functions);
  ChildActor(const ChildActor&) = delete;
  ChildActor& operator=(const ChildActor&) = delete;
  ~ChildActor();

  /// Starts the process and waits until it is registered and serves. Checkpoint. Throws
  /// `SpawnFailed` when it ends before, or cannot serve.
  void spawn();
  /// Waits until the process ends or somebody sets `link().leave`. Checkpoint. Returns whether it
  /// has ended.
  bool wait();
  /// Asks the actor to end, waits for its grace, kills what is left, reaps. Shielded.
  void end();
  /// After the end: throws `ActorDied` unless the actor took its leave or was ended by `end`.
  void pass_verdict();

  /// What portals share.
  const std::shared_ptr<ChildLink>& link() const noexcept { return link_; }
  /// A portal to it.
  Portal portal() { return parent_.portal(link_->uid, link_->address); }

 private:
  std::vector<Address> choose_addresses() const;
  BootSpec boot_spec() const;
  void wait_until_ready();
  void learn_address();
  void remove_sockets() const noexcept;
  [[noreturn]] void throw_boot_failure(const std::string& why) const;
  void finish();

  Actor& parent_;
  ActorOptions options_;
  std::vector<std::string> functions_;
  std::shared_ptr<ChildLink> link_;
  std::vector<Address> bind_;
  std::unique_ptr<Child> process_;
  bool ended_by_us_ = false;
};

}  // namespace troupe

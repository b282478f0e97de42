// SPDX-License-Identifier: Apache-2.0
#pragma once

// What code may ask of the actor it runs in.

#include <sys/types.h>

#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

/// The actor in which the calling code runs. A value; valid as long as the actor runs.
class CurrentActor {
 public:
  /// What others find it by.
  const std::string& name() const { return uid().name; }
  /// Its name and the uuid of this incarnation.
  const Uid& uid() const;
  /// Its process.
  pid_t pid() const;
  /// Where it listens. Boots the runtime; checkpoint.
  Address address() const;
  /// Who started it; none for the root.
  const std::optional<Uid>& parent_uid() const;
  /// Whether nobody of this tree started it.
  bool is_root() const;
  /// Whether it keeps the names. Boots the runtime; checkpoint.
  bool is_arbiter() const;
  /// The table that its tasks share; lives as long as the actor.
  StateSpace& statespace() const;
  /// Calls `fn` at the actor's end, however that ends in order: its function returned or threw, or
  /// it was cancelled. When all its calls have ended, and before it takes its leave; the last given
  /// first. `fn` may wait, but the actor's grace time runs. What it throws is logged. It is not
  /// called when the process dies or is killed. Never waits.
  void on_exit(UniqueFunction<void()> fn) const;
};

/// The actor in which the calling code runs. Throws `UsageError` outside of a run.
CurrentActor current_actor();

/// A portal to the actor that started this one. Throws `UsageError` in the root.
Portal get_parent();

/// A portal to the root of this actor's tree; in the root, to itself.
Portal get_root();

}  // namespace troupe

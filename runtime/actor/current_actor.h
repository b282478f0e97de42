// SPDX-License-Identifier: Apache-2.0
#pragma once

// What code may ask of the actor it runs in.

#include <sys/types.h>

#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
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
};

/// The actor in which the calling code runs. Throws `UsageError` outside of a run.
CurrentActor current_actor();

/// A portal to the actor that started this one. Throws `UsageError` in the root.
Portal get_parent();

/// A portal to the root of this actor's tree; in the root, to itself.
Portal get_root();

}  // namespace troupe

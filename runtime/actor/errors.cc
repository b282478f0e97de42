// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/errors.h"

#include <utility>

namespace troupe {

ActorDied::ActorDied(Uid uid, pid_t pid, ExitStatus status)
    : Error("actor '" + uid.name + "' (pid " + std::to_string(pid) +
            ") died: " + status.to_string() +
            ", without taking its leave; look at its stderr, or supervise it with a restart"),
      uid_(std::move(uid)),
      pid_(pid),
      status_(status) {}

}  // namespace troupe

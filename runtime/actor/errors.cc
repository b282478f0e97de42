// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/errors.h"

#include <utility>

#include "troupe/spawn/errors.h"

namespace troupe {

namespace {

std::string describe(const Uid& uid, pid_t pid, const ExitStatus& status, const std::string& tail) {
  return "actor '" + uid.name + "' (pid " + std::to_string(pid) + ") died: " + status.to_string() +
         ", without taking its leave; look at its stderr, or supervise it with a restart" +
         detail::stderr_part(tail);
}

}  // namespace

ActorDied::ActorDied(Uid uid, pid_t pid, ExitStatus status, std::string stderr_tail)
    : Error(describe(uid, pid, status, stderr_tail)),
      uid_(std::move(uid)),
      pid_(pid),
      status_(status),
      stderr_tail_(std::move(stderr_tail)) {}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The error of this package: a child actor came to an end that was not in order.

#include <sys/types.h>

#include <string>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/error.h"
#include "troupe/spawn/exit_status.h"

namespace troupe {

/// An actor's process ended without taking its leave: by a signal, an exit in the middle, a crash.
/// Calls in flight, and those made later, get it too.
class ActorDied : public Error {
 public:
  /// `uid` and `pid` name the actor; `status` says how its process ended, `stderr_tail` the last
  /// lines of what it wrote to stderr.
  ActorDied(Uid uid, pid_t pid, ExitStatus status, std::string stderr_tail = {});

  /// Who died.
  const Uid& uid() const noexcept { return uid_; }
  /// Its process id; may belong to another process by now.
  pid_t pid() const noexcept { return pid_; }
  /// Its exit code; meaningless when it was ended by a signal.
  int exit_code() const noexcept { return status_.code; }
  /// The signal that ended it; 0 when it exited.
  int signal() const noexcept { return status_.signal; }
  /// The last 20 lines that it wrote to stderr, as far as they are known; `what()` has them, too.
  const std::string& stderr_tail() const noexcept { return stderr_tail_; }

 private:
  Uid uid_;
  pid_t pid_;
  ExitStatus status_;
  std::string stderr_tail_;
};

}  // namespace troupe

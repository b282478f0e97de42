// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a process ended, as a value.

#include <string>

namespace troupe {

/// How a child process ended: by an exit code or by a signal.
struct ExitStatus {
  int code = 0;    ///< What it gave to `exit`; meaningless when `signal` is not 0.
  int signal = 0;  ///< The signal that killed it; 0 when it exited by itself.

  /// The `code` of a status that nobody can tell any more.
  static constexpr int unknown_code = -1;
  /// A child that is known to be dead, but whose status went to someone else: the program calls
  /// `waitpid(-1, ...)` somewhere.
  static constexpr ExitStatus unknown() { return {unknown_code, 0}; }

  /// Whether it is exit code 0.
  bool ok() const { return code == 0 && signal == 0; }
  /// "exit code 3" or "signal 9 (SIGKILL)".
  std::string to_string() const;

  bool operator==(const ExitStatus&) const = default;
};

}  // namespace troupe

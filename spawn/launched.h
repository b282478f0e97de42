// SPDX-License-Identifier: Apache-2.0
#pragma once

// The far end of the backend `Launcher`: how this program knows that a command has started it as an
// actor, though it has neither descriptors nor environment from its parent.
//
// The command line has an option of troupe's own. An initialiser that runs before all others finds
// it, reads argv and environment from stdin, and executes the program again with these: the program
// never sees the option, and nothing of it had to be quoted for a remote shell. A command that
// loses the option must not make this program start as a root, which would start children of its
// own: where stdin is the parent's own socket, what lies ready in it tells as well.

#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// The option after the program's path in a launcher's command.
inline constexpr const char* launched_option = "--troupe-launched";

/// The option that makes this program become a command, which the kernel kills with its parent. The
/// parent's pid and the command follow.
inline constexpr const char* command_option = "--troupe-command";

/// What a launched program is to be executed with.
struct LaunchRecord {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;

  /// As octets, by which it can be told from anything else.
  Bytes encode() const;
  /// Reads what `encode` wrote. Throws `SpawnFailed` for anything else.
  static LaunchRecord decode(BytesView octets);
};

/// Moves the life-line of a launched process away from where it is, which becomes /dev/null.
UniqueFd take_launched_lifeline(int fd);

}  // namespace troupe::detail

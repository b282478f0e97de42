// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a child's standard output and error lead. Its standard input is always /dev/null (a
// terminal belongs to the root).

namespace troupe {

/// Where what a child prints goes.
enum class Stdio {
  /// Its stdout is this process' own. Its stderr passes through this process, as it comes, so that
  /// the last lines can be told after its death; it is no terminal to the child then.
  inherit,
  /// Both pass through this process line by line, with the actor's name in front.
  prefixed,
  /// Both are this process' own, so that a terminal is one to the child, too (for debuggers).
  /// Nothing of what it wrote can be told after its death.
  direct,
};

}  // namespace troupe

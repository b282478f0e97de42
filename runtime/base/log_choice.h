// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who decides what is logged, in one process and down a tree of actors: TROUPE_LOGLEVEL in the
// environment, else the program. That the environment has overruled the program is said once, and
// not by every process of the tree. Private to the library.

#include <string>
#include <string_view>

namespace troupe {

/// The program asks for these levels; an empty text asks for nothing. What the environment says
/// wins. Throws `UsageError` when either cannot be read.
void choose_log_levels(std::string_view wanted);

/// What a child process is told. A value.
struct LogInheritance {
  std::string levels{};  ///< As `LogLevels::parse` reads them; empty: as the child's program says.
  bool fixed = false;    ///< The environment of somebody above has decided, for the whole tree.
};

/// What to tell a child: the levels wanted for it, or this process' own when that text is empty,
/// unless the environment has decided. Throws `UsageError` when the text cannot be read.
LogInheritance log_levels_for_child(std::string_view wanted);

/// A child takes up what it was told; its own environment may still say otherwise. From here on it
/// says nothing of overruled programs. Throws `UsageError` when the environment cannot be read.
void inherit_log_levels(const LogInheritance& told);

/// From here on it is known that this process is no child: what was to be said of overruled
/// programs is said, now and later. Without effect in a child.
void say_log_notices();

}  // namespace troupe

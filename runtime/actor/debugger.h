// SPDX-License-Identifier: Apache-2.0
#pragma once

// A debugger across the processes of a tree, as tractor has one: where an actor comes to a
// breakpoint or fails, it stops, and gdb has the terminal. One actor at a time has it, first come
// first served; the others wait where they are. With `RunOptions::debug_mode`.

#include <exception>
#include <string>

#include "troupe/runtime/base/source_location.h"

namespace troupe {

/// Stops this process in gdb: `backtrace` leads to the caller, `continue` goes on, and so does
/// `quit`. The other tasks of the actor run while the terminal is waited for, and stand while gdb
/// has it. From tasks, threads and plain code. Without debug mode, gdb, a terminal or the right to
/// trace it says so on stderr, with the place, and goes on. Under a debugger of the user's own it
/// stops there. Not a checkpoint: a cancelled task stops as well.
void breakpoint(SourceLocation where = SourceLocation::current());

/// Tells of an error and stops as `breakpoint` does; for handlers. The stack that it was thrown
/// from is gone, so the report says where that was.
void post_mortem(const std::exception_ptr& error = std::current_exception(),
                 SourceLocation where = SourceLocation::current());

namespace detail {

/// Turns debug mode on in this process: errors that leave an actor's functions, or the root's main
/// task, and signals of crashes stop it. `actor`: its name, for what is said.
void enable_debug_mode(const std::string& actor);

/// A child of this actor has debug mode on, though this actor may have not.
void expect_debugger();

/// Whether a debugger has the terminal, or somebody waits for it: then nobody is to be killed for
/// being slow. False where debug mode is off, here and in the children. Never waits.
bool debugger_has_terminal() noexcept;

}  // namespace detail
}  // namespace troupe

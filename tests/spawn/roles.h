// SPDX-License-Identifier: Apache-2.0
#pragma once

// The harness of this package's tests: a test program starts itself anew, and the child plays one
// of the roles that the test's main function lists. Test and child talk over the life-line.

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/spec.h"

namespace troupe::testing {

/// What a child does with its boot record and the argument from `role_spec`; returns its exit code.
using Role = std::function<int(Boot boot, const std::string& argument)>;

/// A test program that is no child, but has this variable set, just exits with `program_code`.
inline constexpr const char* program_variable = "SPAWN_TEST_PROGRAM";
inline constexpr int program_code = 42;
inline constexpr int not_a_child = 99;

/// The main function of a test program: runs the tests, or in a child its role: one of `roles`, or
/// of those in roles.cc that every test program has.
///
/// Before that a program leaves with exit code 17, hangs, waits until it is an orphan, or starts a
/// thread if LEAVE_EARLY, HANG_EARLY, WAIT_FOR_ORPHANHOOD or START_THREAD_EARLY is set. One that
/// then cannot be a child leaves with exit code `not_a_child`.
int role_main(int argc, char** argv, const std::map<std::string, Role>& roles);

/// What to spawn for a child that plays `role`.
SpawnSpec role_spec(const std::string& role, const std::string& argument = {});

/// Writes a line to the process at the other end. Both sides may use it.
void say(int lifeline, const std::string& line);

/// Reads a line from the process at the other end; blocks the thread, 20 s at most. An end of the
/// stream comes as "<end>".
std::string hear(int lifeline);

using detail::ends_within;

/// A descriptor for any process by its pid; it must not have been reaped.
UniqueFd open_pid(const std::string& pid);

/// The content of a file, also one in /proc.
std::string read_file(const std::string& path);

/// The numbers of the descriptors that this process has open, as "0 1 2 3".
std::string open_descriptors();

/// Where a descriptor of this process leads, as /proc shows it; "closed" when it is not open.
std::string target_of(int fd);

/// Whether this process has a child that nobody has waited for, dead or alive.
bool has_children();

/// A new directory in the test's scratch space.
std::string make_scratch_directory();

/// Burns CPU for ever.
[[noreturn]] void spin();

}  // namespace troupe::testing

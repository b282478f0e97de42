// SPDX-License-Identifier: Apache-2.0
#pragma once

// What starting another program takes, whoever starts it: argv and environment in the form that the
// system wants, and what it does in the child before it executes.

#include <signal.h>
#include <spawn.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// Whether a text contains a NUL, and so cannot be an argument or a variable.
bool has_nul(std::string_view text) noexcept;
/// Whether a variable of the environment can have that name.
bool is_variable_name(std::string_view name) noexcept;

/// This process' environment, with `more` added; the last of several settings wins, as with setenv.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& more);
/// Sets a variable in an environment.
void set_variable(std::vector<std::string>& environment, const std::string& key,
                  const std::string& value);

/// The strings as exec and posix_spawn take them. Lifetime: as long as the strings.
std::vector<char*> pointers_to(const std::vector<std::string>& strings);

/// Has the kernel keep children until they are waited for. Where SIGCHLD is ignored (a program may
/// inherit that) it reaps them by itself: nobody learns how they ended, and their pids may be given
/// to others before there is a pidfd.
void keep_ended_children() noexcept;

/// The same descriptor with a number above those of the standard ones, which the system gives out
/// when a program has closed them. Empty, with errno set, if that fails.
UniqueFd above_stdio(UniqueFd fd) noexcept;

/// What happens to the descriptors of a child. Resource.
class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  /// Makes `to` a copy of `from`; when they are one, it loses its close-on-exec.
  void duplicate(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  /// Opens /dev/null as `standard`, to read if that is stdin.
  void open_null(int standard);
  /// Closes all descriptors from `fd` on.
  void close_from(int fd) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  /// Changes the working directory.
  void change_directory(const std::string& directory) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  /// For posix_spawn.
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// How a child starts: with no signal blocked, whatever is blocked here. Resource.
class SpawnAttributes {
 public:
  /// The signals of `at_default` are at their default action.
  explicit SpawnAttributes(const sigset_t& at_default);
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }

  /// It leads a process group of its own.
  void lead_group();
  /// For posix_spawn.
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace troupe::detail

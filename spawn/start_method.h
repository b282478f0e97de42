// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ways in which an actor's process can be made, as a value for options: `StartMethod::exec`,
// `StartMethod::forkserver`, `Launcher{.argv = {"ssh", "host", "{exe}"}}`.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A command that starts this program, here or elsewhere: ssh, srun, kubectl, env, setsid.
///
/// Every "{exe}" in `argv` becomes the path of this program's file and, after a blank or as the
/// next argument, an option of troupe's own; the command must pass both on, and its stdin, and stay
/// as long as the program runs. It need not pass on descriptors or the environment. Its arguments
/// are the same for every actor, so nothing of the program's has to be quoted for a remote shell:
/// argv and `env` travel over stdin, and the program is there with them before its first
/// initialiser runs. A relative PATH, quoting of a path with blanks, and prompts (ssh needs
/// `-o BatchMode=yes`) are the command's business.
struct Launcher {
  std::vector<std::string> argv{};  ///< The command; looked for in PATH.

  friend bool operator==(const Launcher&, const Launcher&) = default;
};

/// How a child process is made. A value.
class StartMethod {
 public:
  /// A fresh image of this very binary. Needs nothing and shares nothing.
  static const StartMethod exec;
  /// Forked from a server process of this binary, single-threaded, which stopped in `init` (or
  /// `run`). As `exec` to the program, but faster. What the program does before `init` happens once
  /// for all children of an actor; where it starts a thread there, `exec` is used.
  static const StartMethod forkserver;

  /// `exec`.
  StartMethod() noexcept = default;
  /// By a command of the user's.
  StartMethod(Launcher launcher);  // NOLINT(google-explicit-constructor): options are set to one

  /// The method of that name: "exec" or "forkserver". Throws `UsageError` for any other.
  static StartMethod parse(std::string_view name);
  /// "exec", "forkserver", or "launcher" and the command.
  std::string to_string() const;
  /// The command; null unless the method is one.
  const Launcher* launcher() const noexcept { return launcher_.get(); }

  friend bool operator==(const StartMethod& left, const StartMethod& right) noexcept;

 private:
  enum class Kind { exec, forkserver, launcher };

  constexpr explicit StartMethod(Kind kind) noexcept : kind_(kind) {}

  Kind kind_ = Kind::exec;
  std::shared_ptr<const Launcher> launcher_;  // shared by the copies
};

inline constinit const StartMethod StartMethod::exec{StartMethod::Kind::exec};
inline constinit const StartMethod StartMethod::forkserver{StartMethod::Kind::forkserver};

}  // namespace troupe

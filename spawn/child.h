// SPDX-License-Identifier: Apache-2.0
#pragma once

// A child process and its end. Backends make `Child`s; whoever holds one waits for it, and a
// `Child` that is dropped takes its process along: there are neither zombies nor orphans. Other
// children of this process (`system`, `popen`, a program's own forks) are never touched.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/spawn/exit_status.h"

namespace troupe {

namespace detail {

class OutputRelay;

/// What a `Child` is made of.
struct ChildParts {
  std::string name;                  ///< The actor's name.
  pid_t pid = -1;                    ///< An un-reaped child of this process.
  UniqueFd pidfd;                    ///< Refers to it.
  UniqueFd lifeline;                 ///< This process' end of the socket pair.
  bool leads_group = false;          ///< Whether it leads a process group of its own.
  std::shared_ptr<OutputRelay> out;  ///< Reads its stdout; null where that is this process' own.
  std::shared_ptr<OutputRelay> err;  ///< Reads its stderr; the same. Both shared with their tasks.
};

}  // namespace detail

/// One child process, from its start to its reaping. A resource: neither copied nor moved.
///
/// Threads: belongs to the loop of the thread that made it; the kernel also ends a child that has
/// no `LifeLine` yet half a second after that thread.
class Child {
 public:
  /// For backends.
  explicit Child(detail::ChildParts parts);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills the process (SIGKILL) and reaps it if that has not been done; returns when the kernel
  /// has torn it down, mostly well under a millisecond. Nobody may be waiting in `wait`.
  ~Child();

  /// Its process id; may belong to another process once `status()` has a value.
  pid_t pid() const { return parts_.pid; }
  /// The actor's name.
  const std::string& name() const { return parts_.name; }
  /// Whether it is the command of a `Launcher`: it then leads a process group, to which all signals
  /// go, and what is left of that group at its end is killed.
  bool leads_group() const { return parts_.leads_group; }

  /// Waits until the process has ended, reaps it, and returns how it ended. Any number of tasks may
  /// wait, and later calls return the same. After the command of a `Launcher` it hangs up on the
  /// actor and waits a little for the life-line to be let go there: until what the command has
  /// started outside of its group has ended, too.
  ///
  /// Checkpoint.
  ExitStatus wait();
  /// Has `fn` called when the process has ended, on the loop's own stack or by whoever reaps it: it
  /// must neither wait nor throw, nor drop this. Once; to be said before anybody waits.
  void on_end(UniqueFunction<void()> fn);
  /// Reaps the process if it has ended; `nullopt` while it lives. Never waits.
  std::optional<ExitStatus> wait_nowait();
  /// How it ended, once it has been reaped. Never waits.
  std::optional<ExitStatus> status() const { return status_; }

  /// Sends a signal; nothing happens if the process is dead. Never reaches another process that
  /// was given the same pid. Never waits.
  ///
  /// Throws `Error` if the system forbids it (the child changed its user).
  void send_signal(int signal);
  /// Sends SIGKILL; nothing happens if the process is dead, or the system forbids it. Never waits.
  void kill() noexcept;
  /// This end of the life-line, for a `LifeLine::add_child`; its close is the child's end.
  int lifeline_fd() const { return parts_.lifeline.get(); }

  /// The last 20 lines (8 KiB at most) that it has written to stderr; empty where that is this
  /// process' own (`Stdio::direct`). Never waits.
  std::string stderr_tail();
  /// For backends: starts the tasks that pass on what it prints. Never waits. Throws `UsageError`
  /// outside of a task.
  void start_relays();

 private:
  class Watch;

  void report_end() const;
  void drain_relays() noexcept;
  void await_hang_up();
  int signal_all(int signal) noexcept;
  void kill_and_reap() noexcept;

  detail::ChildParts parts_;
  bool hung_up_ = false;  // nobody is waited for any more
  std::optional<ExitStatus> status_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace troupe

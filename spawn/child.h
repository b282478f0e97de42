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
#include "troupe/spawn/exit_status.h"

namespace troupe {

class Event;

/// One child process, from its start to its reaping. A resource: neither copied nor moved.
///
/// Threads: belongs to the loop of the thread that made it; the kernel also kills a child that has
/// no `LifeLine` yet when that thread ends.
class Child {
 public:
  /// For backends: `pid` is an un-reaped child of this process, `pidfd` refers to it, `lifeline` is
  /// this process' end of the socket pair.
  Child(std::string name, pid_t pid, UniqueFd pidfd, UniqueFd lifeline);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills the process (SIGKILL) and reaps it if that has not been done; returns when the kernel
  /// has torn it down, mostly well under a millisecond. Nobody may be waiting in `wait`.
  ~Child();

  /// Its process id; may belong to another process once `status()` has a value.
  pid_t pid() const { return pid_; }
  /// The actor's name.
  const std::string& name() const { return name_; }

  /// Waits until the process has ended, reaps it, and returns how it ended. Any number of tasks may
  /// wait, and later calls return the same.
  ///
  /// Checkpoint.
  ExitStatus wait();
  /// Reaps the process if it has ended; `nullopt` while it lives. Never waits.
  std::optional<ExitStatus> wait_nowait();
  /// How it ended, once it has been reaped. Never waits.
  std::optional<ExitStatus> status() const { return status_; }

  /// Sends a signal; nothing happens if the process is dead. Never reaches another process that
  /// was given the same pid. Never waits.
  ///
  /// Throws `Error` if the system forbids it (the child changed its user).
  void send_signal(int signal);
  /// This end of the life-line, for a `LifeLine::add_child`; its close is the child's end.
  int lifeline_fd() const { return lifeline_.get(); }

 private:
  class Watch;

  void report_end() const;
  void close_if_done();
  void kill_and_reap() noexcept;

  std::string name_;
  pid_t pid_;
  UniqueFd pidfd_;
  UniqueFd lifeline_;
  std::optional<ExitStatus> status_;
  std::shared_ptr<Event>
      watch_ended_;  // shared with the waiters; set while one task watches pidfd_
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Other programs: run to their end, or beside the caller in a nursery. No process outlives the
// block that started it. (For actors, which are processes of this program, use an actor nursery.)

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/pipe.h"

namespace troupe {

class Process;
class TaskNursery;

/// How a process ended. A value.
struct ProcessStatus {
  int code = 0;    ///< Its exit code, when it ended by itself; -1 when nobody knows.
  int signal = 0;  ///< The signal that ended it, or 0.

  /// Whether it ended by itself, with exit code 0.
  bool ok() const noexcept { return code == 0 && signal == 0; }
  /// "exit code 3", "signal 9 (SIGKILL)".
  std::string to_string() const;
  friend bool operator==(const ProcessStatus&, const ProcessStatus&) = default;
};

/// Where a process' standard descriptor leads.
enum class ProcessIo {
  inherit,    ///< To wherever this process' own leads.
  null,       ///< To /dev/null.
  pipe,       ///< To an end of a pipe that the caller uses (`start_process` only).
  capture,    ///< Into `CompletedProcess` (output only).
  log,        ///< Line by line into the log, with a label (output only).
  as_output,  ///< Where its standard output goes (standard error only).
};

/// How a process is run.
struct ProcessOptions {
  /// What it reads from its standard input; if set, `in` is not looked at.
  std::optional<std::string> input = std::nullopt;
  ProcessIo in = ProcessIo::null;      ///< Its standard input: `null`, `inherit` or `pipe`.
  ProcessIo out = ProcessIo::inherit;  ///< Its standard output.
  ProcessIo err = ProcessIo::inherit;  ///< Its standard error.
  bool check = true;  ///< Whether an end other than exit code 0 is an error (`ProcessFailed`).
  /// Names it in log lines and messages; empty: its file name.
  std::string label = {};
  LogLevel log_level = LogLevel::info;  ///< Of the lines of `ProcessIo::log`.
  /// Variables added to this process' environment, or set differently from it.
  std::vector<std::pair<std::string, std::string>> env = {};
  std::string directory = {};  ///< Its working directory; empty: this process'.
  /// Ends it when its task is cancelled; may wait (it is shielded). The task then waits for the
  /// process' end. If it throws, the process is killed, and the error comes out. Empty: SIGTERM,
  /// and SIGKILL with a warning when the process lives five seconds later.
  SharedFunction<void(Process&)> deliver_cancel = {};
};

/// What is left of a process that has ended. A value.
struct CompletedProcess {
  std::vector<std::string> argv;  ///< What was run.
  ProcessStatus status;           ///< How it ended.
  std::string out;                ///< Its standard output, if captured.
  std::string err;                ///< Its standard error, if captured; the last of it, if logged.
};

/// A process ended otherwise than with exit code 0. `what()` tells how, and the last it wrote to
/// standard error if that was captured or logged.
class ProcessFailed : public Error {
 public:
  ProcessFailed(const std::string& message, CompletedProcess process);
  /// What is left of it.
  const CompletedProcess& process() const noexcept { return *process_; }

 private:
  std::shared_ptr<const CompletedProcess> process_;  // shared by the copies of the error
};

/// A process could not be started: there is no such program, or no memory.
class ProcessNotStarted : public Error {
 public:
  using Error::Error;
};

/// A process started by `start_process`, which belongs to a task of a nursery. Resource, shared by
/// that task and its users. Threads: belongs to its loop.
class Process {
 public:
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills and reaps the process if it lives: only when its task was never run to its end.
  ~Process();

  /// Its process id; may belong to another process once `status()` has a value.
  pid_t pid() const noexcept;
  /// What was run.
  const std::vector<std::string>& argv() const noexcept;
  /// How it ended; nothing while it lives. Never waits.
  std::optional<ProcessStatus> status() noexcept;
  /// Waits until it has ended. Any number of tasks may. Checkpoint.
  ProcessStatus wait();

  /// Sends it a signal; nothing happens when it has ended. Never waits. Throws `Error` if the
  /// system forbids it.
  void send_signal(int signal);
  /// Asks it to end (SIGTERM). Never waits.
  void terminate();
  /// Ends it (SIGKILL). Never waits.
  void kill();

  /// Where to write what it reads. Throws `UsageError` unless `in` was `ProcessIo::pipe`.
  PipeWriter& in();
  /// Where to read what it writes. Throws `UsageError` unless `out` was `ProcessIo::pipe`.
  PipeReader& out();
  /// Where to read its errors. Throws `UsageError` unless `err` was `ProcessIo::pipe`.
  PipeReader& err();

  struct Impl;
  explicit Process(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

/// Runs the program `argv[0]` (looked for in PATH when it has no slash) with the arguments `argv`
/// and waits for its end, and for the ends of its outputs. Checkpoint. By default its standard
/// input is empty, and its outputs are this process'. When cancelled, ends the process in order
/// first, see `ProcessOptions::deliver_cancel`. Throws `ProcessFailed` when it does not end with
/// exit code 0 and `check` is set, `ProcessNotStarted` when it cannot be started.
///
///     std::string day = run_process({"date", "+%A"}, {.out = ProcessIo::capture}).out;
CompletedProcess run_process(std::vector<std::string> argv, ProcessOptions options = {});

/// Starts a program beside the caller: the nursery waits for its end, and cancels it as
/// `run_process` does. Its failure is an error of the nursery if `check` is set. Never waits.
/// Throws `ProcessNotStarted` when it cannot be started.
std::shared_ptr<Process> start_process(TaskNursery& nursery, std::vector<std::string> argv,
                                       ProcessOptions options = {});

}  // namespace troupe

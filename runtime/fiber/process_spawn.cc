// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/process_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/base/posix_spawn.h"
namespace troupe::detail {
namespace {

// ----- what cannot be

void check_io(const ProcessOptions& options) {
  const auto is_output_only = [](ProcessIo io) {
    return io == ProcessIo::capture || io == ProcessIo::log || io == ProcessIo::as_output;
  };
  if (is_output_only(options.in))
    throw UsageError("a process' standard input is `null`, `inherit` or `pipe`, or set `input`");
  if (options.out == ProcessIo::as_output)
    throw UsageError("`as_output` is for a process' standard error: it goes where `out` goes");
}

void check(const std::vector<std::string>& argv, const ProcessOptions& options) {
  if (argv.empty() || argv[0].empty())
    throw UsageError("a process needs a program: give its name as the first of `argv`");
  for (const std::string& argument : argv) {
    if (has_nul(argument)) throw UsageError("an argument of a process contains a NUL octet");
  }
  for (const auto& [key, value] : options.env) {
    if (!is_variable_name(key) || has_nul(value))
      throw UsageError("'" + key +
                       "' in `env` of a process is no name of a variable, or its value "
                       "contains a NUL octet");
  }
  check_io(options);
}

[[noreturn]] void fail(const std::string& label, const char* step, int error) {
  std::string text = "cannot run '" + label + "': " + step + ": " + std::strerror(error);
  if (error == ENOENT) text += "; is it installed, in PATH, and is `directory` there?";
  if (error == EMFILE) text += "; raise the limit of open files (ulimit -n), or run fewer at once";
  if (error == EAGAIN) text += "; raise the limit of processes (ulimit -u), or run fewer at once";
  throw ProcessNotStarted(text);
}

// ----- pipes

struct PipeEnds {
  UniqueFd ours;
  UniqueFd its;
};

UniqueFd moved_above_stdio(const std::string& label, UniqueFd fd) {
  UniqueFd moved = above_stdio(std::move(fd));
  if (!moved) fail(label, "fcntl", errno);
  return moved;
}

PipeEnds make_pipe(const std::string& label, bool it_reads) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(label, "pipe", errno);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  reader = moved_above_stdio(label, std::move(reader));
  writer = moved_above_stdio(label, std::move(writer));
  if (it_reads) return {std::move(writer), std::move(reader)};
  return {std::move(reader), std::move(writer)};
}

bool needs_pipe(ProcessIo io) {
  return io == ProcessIo::pipe || io == ProcessIo::capture || io == ProcessIo::log;
}

struct Pipes {
  PipeEnds in;
  PipeEnds out;
  PipeEnds err;

  Pipes(const std::string& label, const ProcessOptions& options) {
    if (options.input || needs_pipe(options.in)) in = make_pipe(label, true);
    if (needs_pipe(options.out)) out = make_pipe(label, false);
    if (needs_pipe(options.err)) err = make_pipe(label, false);
  }
};

// ----- what happens in the child before it executes

// A standard descriptor that is closed here is /dev/null there, lest the program's first file take
// its place.
void connect(SpawnActions& actions, int standard, const UniqueFd& pipe_end, ProcessIo io) {
  if (pipe_end) return actions.duplicate(pipe_end.get(), standard);
  if (io == ProcessIo::as_output) return actions.duplicate(STDOUT_FILENO, standard);
  if (io == ProcessIo::inherit && ::fcntl(standard, F_GETFD) >= 0)
    return actions.duplicate(standard, standard);
  actions.open_null(standard);
}

// Command-line tools end by SIGPIPE.
sigset_t signals_at_default() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

pid_t start(const std::string& label, const std::vector<std::string>& argv,
            const ProcessOptions& options, const Pipes& pipes) {
  SpawnActions actions;
  connect(actions, STDIN_FILENO, pipes.in.its, options.in);
  connect(actions, STDOUT_FILENO, pipes.out.its, options.out);
  connect(actions, STDERR_FILENO, pipes.err.its, options.err);
  actions.close_from(STDERR_FILENO + 1);
  if (!options.directory.empty()) actions.change_directory(options.directory);
  const SpawnAttributes attributes(signals_at_default());
  const std::vector<std::string> variables = environment_with(options.env);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0].c_str(), actions.get(), attributes.get(),
                                   pointers_to(argv).data(), pointers_to(variables).data());
  if (error != 0) fail(label, "posix_spawn", error);
  return pid;
}

// ESRCH: a handler of this program waits for all children, and was faster.
UniqueFd pidfd_of(const std::string& label, pid_t pid) {
  UniqueFd pidfd = open_pidfd(pid);
  const int error = errno;
  if (pidfd || error == ESRCH) return pidfd;
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  fail(label, "pidfd_open", error);
}

}  // namespace

SpawnedProcess spawn_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  check(argv, options);
  const std::string label = process_label(argv, options);
  keep_ended_children();
  Pipes pipes(label, options);
  SpawnedProcess process;
  process.pid = start(label, argv, options, pipes);
  process.pidfd = pidfd_of(label, process.pid);
  process.in = std::move(pipes.in.ours);
  process.out = std::move(pipes.out.ours);
  process.err = std::move(pipes.err.ours);
  return process;
}

std::optional<ProcessStatus> reap_process(int pidfd) noexcept {
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return ProcessStatus{-1, 0};  // ECHILD: somebody else has waited for it
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return ProcessStatus{info.si_status, 0};
  return ProcessStatus{0, info.si_status};
}

std::string process_label(const std::vector<std::string>& argv, const ProcessOptions& options) {
  if (!options.label.empty() || argv.empty()) return options.label;
  return argv[0].substr(argv[0].rfind('/') + 1);
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/process_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace troupe::detail {
namespace {

// ----- what cannot be

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

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
    if (key.empty() || key.find('=') != std::string::npos || has_nul(key) || has_nul(value))
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

// Not among the standard descriptors, which the system gives out when a program has closed them.
UniqueFd above_stdio(const std::string& label, UniqueFd fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) fail(label, "fcntl", errno);
  return moved;
}

PipeEnds make_pipe(const std::string& label, bool it_reads) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(label, "pipe", errno);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  reader = above_stdio(label, std::move(reader));
  writer = above_stdio(label, std::move(writer));
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

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  // A standard descriptor that is closed here is /dev/null there, lest the program's first file
  // take its place.
  void connect(int standard, const UniqueFd& pipe_end, ProcessIo io) {
    if (pipe_end) return duplicate(pipe_end.get(), standard);
    if (io == ProcessIo::as_output) return duplicate(STDOUT_FILENO, standard);
    if (io == ProcessIo::inherit && ::fcntl(standard, F_GETFD) >= 0)
      return duplicate(standard, standard);
    const int flags = standard == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    ::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", flags, 0);
  }
  void finish(const std::string& directory) {
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    if (!directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  // Also with `from` == `to`, which then loses its FD_CLOEXEC.
  void duplicate(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }

  posix_spawn_file_actions_t actions_;
};

// The program starts with no signal blocked, whatever the loop receives, and with the SIGPIPE that
// command-line tools end by.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigaddset(&set, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<std::string> environment(const ProcessOptions& options) {
  std::vector<std::string> all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  for (const auto& [key, value] : options.env) {
    const std::string prefix = key + "=";
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(prefix); });
    all.push_back(prefix + value);
  }
  return all;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Where SIGCHLD is ignored (a program may inherit that) the kernel reaps children by itself: nobody
// learns how they ended, and their pids go to others.
void keep_ended_children() {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  const bool ignored = action.sa_handler == SIG_IGN;
  if (!ignored && (action.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (ignored) action.sa_handler = SIG_DFL;
  action.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &action, nullptr);
}

pid_t start(const std::string& label, const std::vector<std::string>& argv,
            const ProcessOptions& options, const Pipes& pipes) {
  FileActions actions;
  actions.connect(STDIN_FILENO, pipes.in.its, options.in);
  actions.connect(STDOUT_FILENO, pipes.out.its, options.out);
  actions.connect(STDERR_FILENO, pipes.err.its, options.err);
  actions.finish(options.directory);
  const Attributes attributes;
  const std::vector<std::string> variables = environment(options);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0].c_str(), actions.get(), attributes.get(),
                                   pointers_to(argv).data(), pointers_to(variables).data());
  if (error != 0) fail(label, "posix_spawn", error);
  return pid;
}

// ESRCH: a handler of this program waits for all children, and was faster.
UniqueFd open_pidfd(const std::string& label, pid_t pid) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
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
  process.pidfd = open_pidfd(label, process.pid);
  process.in = std::move(pipes.in.ours);
  process.out = std::move(pipes.out.ours);
  process.err = std::move(pipes.err.ours);
  return process;
}

bool signal_process(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
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

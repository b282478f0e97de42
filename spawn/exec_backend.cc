// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/exec_backend.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "troupe/runtime/base/log_line.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/boot_record.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/pidfd.h"
#include "troupe/spawn/self_image.h"
#include "troupe/spawn/terminate.h"

namespace troupe {

namespace {

constexpr int lifeline_in_child = 3;

// ----- errors

std::string advice(int error) {
  switch (error) {
    case EAGAIN:
      return "; the limit of processes is reached: raise it (ulimit -u, or the pids limit of the "
             "container) or run fewer actors at once";
    case EMFILE:
      return "; the limit of open files is reached: raise it (ulimit -n) or run fewer actors at "
             "once";
    case ENFILE:
      return "; the system's table of open files is full: see /proc/sys/fs/file-nr";
    case ENOMEM:
      return "; the system is out of memory: run fewer actors at once";
    case E2BIG:
      return "; argv and environment together are too large: see getconf ARG_MAX";
    case ENOENT:
    case EACCES:
      return "; check that /proc is mounted and that the program may still be executed";
    case ENOSYS:
      return "; troupe needs Linux 5.4 or later (some versions of valgrind lack this call, too)";
    default:
      return "";
  }
}

[[noreturn]] void fail(const SpawnSpec& spec, const char* step, int error) {
  throw SpawnFailed("cannot spawn actor " + detail::quoted_name(spec.name) + " (from pid " +
                    std::to_string(::getpid()) + "): " + step + ": " + detail::errno_text(error) +
                    advice(error));
}

[[noreturn]] void fail_usage(const SpawnSpec& spec, const std::string& what) {
  throw UsageError("cannot spawn actor " + detail::quoted_name(spec.name) + ": " + what);
}

// ----- argv and environment

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void check(const SpawnSpec& spec) {
  for (const std::string& argument : spec.argv) {
    if (has_nul(argument)) fail_usage(spec, "an argument in `argv` contains a NUL byte");
  }
  for (const auto& [key, value] : spec.env) {
    if (key.empty() || has_nul(key) || key.find('=') != std::string::npos) {
      fail_usage(spec, detail::quoted_name(key) +
                           " in `env` is no name of a variable: it must be neither empty nor "
                           "contain '=' or NUL");
    }
    if (has_nul(value)) {
      fail_usage(spec,
                 "the value of " + detail::quoted_name(key) + " in `env` contains a NUL byte");
    }
    if (key == detail::child_mark) {
      fail_usage(spec, std::string("`") + detail::child_mark + "` in `env` belongs to troupe");
    }
  }
}

// The last of several settings of a variable wins, as with setenv.
void set_variable(std::vector<std::string>& environment, const std::string& key,
                  const std::string& value) {
  const std::string prefix = key + "=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(prefix); });
  environment.push_back(prefix + value);
}

std::vector<std::string> child_environment(const SpawnSpec& spec) {
  std::vector<std::string> environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment.emplace_back(*entry);
  }
  for (const auto& [key, value] : spec.env) set_variable(environment, key, value);
  set_variable(environment, detail::child_mark,
               std::to_string(lifeline_in_child) + ":" + std::to_string(::getpid()));
  return environment;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// ----- what happens in the child before it executes

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void duplicate(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void open_null(int fd, int flags) {
    ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", flags, 0);
  }
  void close_from(int fd) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
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

// A program that has closed its stdout may hold anything under that number, our loop's descriptors
// too: what is not meant to be inherited (FD_CLOEXEC) is not stdout. The child gets /dev/null then,
// lest the first file that it opens become its stdout.
void add_output(FileActions& actions, int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) actions.open_null(fd, O_WRONLY);
}

void set_up_descriptors(FileActions& actions, int lifeline) {
  actions.duplicate(lifeline, lifeline_in_child);
  actions.open_null(STDIN_FILENO, O_RDONLY);
  add_output(actions, STDOUT_FILENO);
  add_output(actions, STDERR_FILENO);
  actions.close_from(lifeline_in_child + 1);
}

// ----- the parent's part

struct LifelinePair {
  UniqueFd parent;
  UniqueFd child;
};

// Descriptors 0 to 2 are given out by the system when a program has closed them.
UniqueFd above_stdio(const SpawnSpec& spec, int fd) {
  UniqueFd given(fd);
  if (fd > STDERR_FILENO) return given;
  UniqueFd moved(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) fail(spec, "fcntl", errno);
  return moved;
}

LifelinePair make_lifeline(const SpawnSpec& spec) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(spec, "socketpair", errno);
  }
  UniqueFd second(ends[1]);
  LifelinePair pair;
  pair.parent = above_stdio(spec, ends[0]);
  pair.child = above_stdio(spec, second.release());
  return pair;
}

// Where SIGCHLD is ignored (a program may inherit that) the kernel reaps children by itself, and
// their pids may be given to others before we have a pidfd.
void keep_ended_children() {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler == SIG_IGN) {
    action.sa_handler = SIG_DFL;
  } else if ((action.sa_flags & SA_NOCLDWAIT) == 0) {
    return;
  }
  action.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &action, nullptr);
}

pid_t start_process(const std::string& path, const SpawnSpec& spec, int lifeline) {
  FileActions actions;
  set_up_descriptors(actions, lifeline);
  const Attributes attributes;
  const std::vector<std::string>& argv = spec.argv.empty() ? original_argv() : spec.argv;
  const std::vector<std::string> environment = child_environment(spec);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), actions.get(), attributes.get(),
                                  pointers_to(argv).data(), pointers_to(environment).data());
  if (error != 0) fail(spec, "posix_spawn", error);
  return pid;
}

// Safe by pid: it is our own child, which nobody has waited for.
[[noreturn]] void abandon(const SpawnSpec& spec, pid_t pid, int error) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  fail(spec, "pidfd_open", error);
}

void finish_record(detail::BootRecordWriter& record, const SpawnSpec& spec, Child& child) {
  try {
    record.finish();
  } catch (const std::system_error& broken) {
    const ExitStatus status = terminate(child, std::chrono::seconds(1));
    throw SpawnFailed("cannot spawn actor " + detail::quoted_name(spec.name) + ": its process " +
                      std::to_string(child.pid()) + " did not take its boot record (" +
                      detail::errno_text(broken.code().value()) + ") and ended with " +
                      status.to_string() +
                      "; a program must reach troupe's `init` or `run` when it is started anew");
  }
}

}  // namespace

namespace detail {

std::unique_ptr<Child> spawn_image(const std::string& path, const SpawnSpec& spec) {
  check(spec);
  keep_ended_children();
  LifelinePair lifeline = make_lifeline(spec);
  BootRecordWriter record(lifeline.parent.get(), spec.blob);
  record.write_some();
  const pid_t pid = start_process(path, spec, lifeline.child.get());
  lifeline.child.reset();
  UniqueFd pidfd = detail::open_pidfd(pid);
  if (!pidfd) abandon(spec, pid, errno);
  auto child =
      std::make_unique<Child>(spec.name, pid, std::move(pidfd), std::move(lifeline.parent));
  log_line(LogLevel::runtime, "spawn", "started a process for actor '", spec.name, "': pid ", pid);
  finish_record(record, spec, *child);
  return child;
}

}  // namespace detail

std::unique_ptr<Child> spawn_exec(const SpawnSpec& spec) {
  return detail::spawn_image(detail::self_image_path(), spec);
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/gdb.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace troupe::detail {
namespace {

constexpr timespec a_moment{0, 2'000'000};
constexpr int look_every_ms = 200;

// Set by gdb when it has all threads. (They come one by one, and the first is marked as traced
// before the last: whoever stops in between is lost to gdb.)
volatile int attached = 0;
std::atomic<bool> attaching = false;

// What follows runs in processes that were forked from one with threads: system calls only.

void set_signal(int signal, void (*handler)(int)) noexcept {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

void give_foreground(int terminal, pid_t group) noexcept { ::tcsetpgrp(terminal, group); }

void wait_for(pid_t pid) noexcept {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Whether a process has ended, though its tracer has not taken note: then its pidfd says nothing.
bool has_ended(pid_t pid) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : 0;
  text[size > 0 ? size : 0] = '\0';
  const char* const state = std::strrchr(text, ')');
  return state == nullptr || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

// Waits until gdb has ended, or the process that it looks at: then gdb has to end, too.
void wait_for_either(pid_t gdb, pid_t traced) noexcept {
  pollfd end{static_cast<int>(::syscall(SYS_pidfd_open, gdb, 0)), POLLIN, 0};
  while (::poll(&end, 1, look_every_ms) <= 0 && !has_ended(traced)) {
  }
  if (end.revents == 0) ::kill(gdb, SIGKILL);
  wait_for(gdb);
}

[[noreturn]] void become_gdb(const char* gdb, const char* pid) noexcept {
  char tell[64];
  std::snprintf(tell, sizeof tell, "set var *(int*)%p = 1", const_cast<const int*>(&attached));
  for (int signal = 1; signal < NSIG; ++signal) set_signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const char* const arguments[] = {
      gdb,   "-q", "-iex", "set confirm off", "-iex", "set pagination off", "-p", pid,
      "-ex", tell, "-ex",  "continue",        nullptr};
  ::execv(gdb, const_cast<char* const*>(arguments));
  ::_exit(127);
}

// The process between the actor and gdb, in a group of its own that has the terminal's foreground:
// Ctrl-C is for gdb. It sees to it that the terminal is as before at the end.
[[noreturn]] void keep_terminal(const char* gdb, int terminal, pid_t traced) noexcept {
  for (const int signal : {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGTERM, SIGHUP})
    set_signal(signal, SIG_IGN);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(terminal, fd);
  // Nobody's life-line and no socket stays open here.
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
  ::prctl(PR_SET_NAME, "troupe-gdb", 0, 0, 0);
  termios modes{};
  const bool have_modes = ::tcgetattr(STDIN_FILENO, &modes) == 0;
  const pid_t before = ::tcgetpgrp(STDIN_FILENO);
  ::setpgid(0, 0);
  give_foreground(STDIN_FILENO, ::getpid());
  char pid[16];
  std::snprintf(pid, sizeof pid, "%d", static_cast<int>(traced));
  const pid_t child = ::fork();
  if (child == 0) become_gdb(gdb, pid);
  if (child > 0) wait_for_either(child, traced);
  if (have_modes) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
  give_foreground(STDIN_FILENO, before);
  ::_exit(0);
}

// A grandchild, so that nobody has to reap it.
bool start_keeper(const char* gdb, int terminal) noexcept {
  const pid_t traced = ::getpid();
  const pid_t between = ::fork();
  if (between < 0) return false;
  if (between == 0) {
    if (::fork() == 0) keep_terminal(gdb, terminal, traced);
    ::_exit(0);
  }
  wait_for(between);
  return true;
}

bool is_locked(int terminal) noexcept {
  if (::flock(terminal, LOCK_EX | LOCK_NB) != 0) return true;
  ::flock(terminal, LOCK_UN);
  return false;
}

// Another description of the same device, through which one can look at the lock.
UniqueFd reopen(int terminal) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", terminal);
  return UniqueFd(::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

std::string find_gdb() {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    const std::string program = std::string(folder) + "/gdb";
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

// Tried, since there are many ways to forbid it: Yama, containers, seccomp, a debugger that is
// there.
bool may_be_traced() noexcept {
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const pid_t probe = ::fork();
  if (probe < 0) return false;
  if (probe == 0) ::_exit(::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr) == 0 ? 0 : 1);
  int status = 0;
  while (::waitpid(probe, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_traced() noexcept {
  if (attaching && attached == 0) return false;
  const UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  char text[2048];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : 0;
  text[size > 0 ? size : 0] = '\0';
  const char* const tracer = std::strstr(text, "TracerPid:");
  return tracer != nullptr && std::atoi(tracer + std::strlen("TracerPid:")) != 0;
}

bool attach_gdb(const char* gdb, UniqueFd terminal) noexcept {
  const UniqueFd look = reopen(terminal.get());
  attached = 0;
  attaching = true;
  bool locked = look && start_keeper(gdb, terminal.get());
  terminal.reset();  // what holds the lock from here on is gdb
  while (locked && attached == 0) {
    ::nanosleep(&a_moment, nullptr);
    locked = is_locked(look.get());
  }
  attaching = false;
  return attached != 0;
}

}  // namespace troupe::detail

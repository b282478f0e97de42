// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/debugger.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "troupe/runtime/actor/gdb.h"
#include "troupe/runtime/actor/terminal.h"
#include "troupe/runtime/base/write_all.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/thread.h"
#include "troupe/runtime/rpc/crash_hook.h"
#include "troupe/runtime/rpc/error_report.h"

namespace troupe {
namespace {

constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// What was found out when debug mode was turned on: a signal handler can find out nothing.
struct Debugger {
  bool enabled = false;
  std::string actor;
  std::string gdb;
  std::string terminal;
  std::string why_not;  // empty: it can stop
};
Debugger debugger;

std::string why_it_cannot_stop() {
  if (debugger.terminal.empty() || !detail::open_terminal(debugger.terminal))
    return "there is no terminal";
  if (debugger.gdb.empty()) return "gdb is not in the PATH; install it";
  if (!detail::may_be_traced())
    return "this process may not be traced; see /proc/sys/kernel/yama/ptrace_scope, or give the "
           "container CAP_SYS_PTRACE";
  return {};
}

// In a task the others go on meanwhile.
void wait_for_terminal(int terminal) {
  if (Loop::try_current() == nullptr) {
    detail::lock_terminal(terminal);
    return;
  }
  CancelScope shield({.shield = true});
  shield.run([&] { to_thread_run([&] { detail::lock_terminal(terminal); }); });
}

// Has gdb attached to this process, and the terminal say `text` before. Returns whether it is.
bool get_debugger(const std::string& text) {
  UniqueFd terminal = detail::open_terminal(debugger.terminal);
  if (!terminal) return false;
  wait_for_terminal(terminal.get());
  if (detail::is_traced()) return true;  // another task was faster
  write_all(terminal.get(), text);
  return detail::attach_gdb(debugger.gdb.c_str(), std::move(terminal));
}

std::string place(const SourceLocation& where) {
  return std::string(where.file_name()) + ":" + std::to_string(where.line()) + " (" +
         where.function_name() + ")";
}

std::string headline(const std::string& what) {
  return "\ntroupe: actor '" + debugger.actor + "' (pid " + std::to_string(::getpid()) + ") " +
         what + "\n";
}

// Whether the caller is to stop now; says why not where it cannot.
bool is_to_stop(const std::string& text) {
  if (detail::is_traced()) return true;
  if (!debugger.enabled) {
    write_all(STDERR_FILENO,
              "troupe: " + text + ", but goes on: debug mode is off; set RunOptions.debug_mode\n");
    return false;
  }
  if (!debugger.why_not.empty()) {
    write_all(STDERR_FILENO, headline(text + ", but goes on: " + debugger.why_not));
    return false;
  }
  return get_debugger(headline(text));
}

// A program that nobody traces would die of it. (A signal that is sent, and no trap instruction:
// gdb takes that for a breakpoint of its own now and then, and goes on at a wrong address.)
void trap() noexcept { ::syscall(SYS_tgkill, ::getpid(), ::gettid(), SIGTRAP); }

void stop_for_error(const std::exception_ptr& error, const std::string& what) {
  const std::string report = error_report(error, Uid{debugger.actor, {}});
  if (is_to_stop(what + "\n" + report)) trap();
}

void on_uncaught_error(const std::exception_ptr& error) {
  stop_for_error(error, "has failed with an error that nobody has caught:");
}

// gdb is attached, and finds the crash itself when the instruction is run again, or `abort` goes
// on: the handler is gone.
void on_crash(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  if (detail::is_traced()) return;
  UniqueFd terminal = detail::open_terminal(debugger.terminal);
  if (!terminal || !detail::lock_terminal(terminal.get())) return;
  write_all(terminal.get(), "\ntroupe: actor '");
  write_all(terminal.get(), debugger.actor);
  write_all(terminal.get(), "' has crashed\n");
  detail::attach_gdb(debugger.gdb.c_str(), std::move(terminal));
}

void watch_crashes() {
  struct sigaction action {};
  action.sa_handler = &on_crash;
  action.sa_flags = SA_ONSTACK;
  for (const int crash : crashes) ::sigaction(crash, &action, nullptr);
}

}  // namespace

[[gnu::noinline]] void breakpoint(SourceLocation where) {
  if (is_to_stop("has come to a breakpoint at " + place(where))) trap();
}

[[gnu::noinline]] void post_mortem(const std::exception_ptr& error, SourceLocation where) {
  if (error == nullptr) {
    if (is_to_stop("asks for a post-mortem at " + place(where) + ", without an error")) trap();
    return;
  }
  stop_for_error(error, "has caught an error at " + place(where) + ":");
}

namespace detail {

void enable_debug_mode(const std::string& actor) {
  debugger.enabled = true;
  debugger.actor = actor;
  debugger.gdb = find_gdb();
  debugger.terminal = terminal_device();
  debugger.why_not = why_it_cannot_stop();
  uncaught_error_hook = &on_uncaught_error;
  if (debugger.why_not.empty()) watch_crashes();
}

void expect_debugger() {
  if (debugger.terminal.empty()) debugger.terminal = terminal_device();
}

bool debugger_has_terminal() noexcept {
  return !debugger.terminal.empty() && terminal_is_taken(debugger.terminal);
}

}  // namespace detail
}  // namespace troupe

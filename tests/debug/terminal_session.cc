// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/debug/terminal_session.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace troupe::testing {
namespace {
constexpr int patience_ms = 30'000;
}

TerminalSession::TerminalSession(const std::string& program, const std::string& argument) {
  const winsize size{50, 200, 0, 0};
  pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ != 0) return;
  ::setenv("TERM", "dumb", 1);
  ::setenv("HOME", "/nonexistent", 1);  // nobody's .gdbinit
  ::setenv("DEBUGINFOD_URLS", "", 1);
  ::execl(program.c_str(), program.c_str(), argument.empty() ? nullptr : argument.c_str(), nullptr);
  ::_exit(127);
}

TerminalSession::~TerminalSession() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(terminal_);
}

bool TerminalSession::read_more() {
  pollfd look{terminal_, POLLIN, 0};
  if (::poll(&look, 1, patience_ms) <= 0) return false;
  char text[4096];
  const ssize_t size = ::read(terminal_, text, sizeof text);
  if (size <= 0) return false;
  shown_.append(text, static_cast<std::size_t>(size));
  return true;
}

std::string TerminalSession::expect(const std::string& text) {
  for (;;) {
    const std::size_t found = shown_.find(text, seen_);
    if (found != std::string::npos) {
      const std::string passed = shown_.substr(seen_, found + text.size() - seen_);
      seen_ = found + text.size();
      return passed;
    }
    if (read_more()) continue;
    ADD_FAILURE() << "\"" << text << "\" was not shown, but:\n" << shown_;
    return shown_.substr(seen_);
  }
}

void TerminalSession::press(const std::string& keys) {
  EXPECT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

int TerminalSession::wait() {
  while (read_more()) {  // to its end: a full terminal would hold the program up
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

pid_t TerminalSession::foreground() const { return ::tcgetpgrp(terminal_); }

termios TerminalSession::modes() const {
  termios modes{};
  ::tcgetattr(terminal_, &modes);
  return modes;
}

}  // namespace troupe::testing

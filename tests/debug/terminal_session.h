// SPDX-License-Identifier: Apache-2.0
#pragma once

// A user at a terminal: a program whose controlling terminal is ours. We read what it shows and
// type.

#include <sys/types.h>
#include <termios.h>

#include <string>

namespace troupe::testing {

/// One program at a terminal of its own. Killed, if it still runs, when this ends.
class TerminalSession {
 public:
  /// Starts `program`, with at most one argument.
  explicit TerminalSession(const std::string& program, const std::string& argument = {});
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;
  ~TerminalSession();

  /// Waits until `text` is shown, behind what was waited for before; returns what came up to its
  /// end. Fails the test, and returns what there is, when it does not come within half a minute.
  std::string expect(const std::string& text);
  /// Types a line.
  void type(const std::string& line) { press(line + "\n"); }
  /// Types as it is: "\3" is Ctrl-C.
  void press(const std::string& keys);
  /// Waits for the program's end and returns its exit code; minus the signal that ended it.
  int wait();

  /// The process of the program.
  pid_t pid() const noexcept { return pid_; }
  /// The process group that Ctrl-C is for.
  pid_t foreground() const;
  /// The modes of the terminal.
  termios modes() const;
  /// All that was shown.
  const std::string& shown() const noexcept { return shown_; }

 private:
  bool read_more();

  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
  std::size_t seen_ = 0;
  bool ended_ = false;
};

}  // namespace troupe::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Real programs in tests: started with a mark in their environment, which everything they start
// inherits, so that a test can tell what is left of them.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// How a program came out.
struct Outcome {
  int exit_code = 0;   ///< Its exit code; meaningless when a signal ended it.
  int signal = 0;      ///< The signal that ended it, or 0.
  std::string output;  ///< What it wrote to stdout.
  std::string errors;  ///< What it wrote to stderr.
};

/// A program under test. Kills what is left of it, and of its children, when it goes.
class Program {
 public:
  /// Starts `path`, relative to the test's runfiles, with a runtime directory of its own.
  explicit Program(const std::string& path, std::vector<std::string> arguments = {},
                   std::vector<std::pair<std::string, std::string>> environment = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  /// Its process.
  pid_t pid() const { return pid_; }
  /// Sends a signal to it alone.
  void send_signal(int signal);
  /// Waits until its stdout contains `text`; false when it ended without.
  bool wait_for_output(const std::string& text);
  /// What it has written to stdout, as far as it was waited for.
  const std::string& output_so_far() const { return outcome_.output; }
  /// Waits for its end.
  Outcome wait();
  /// Every living process that carries the mark: the program and what descends from it.
  std::vector<pid_t> processes() const;
  /// Waits until no process with the mark is left; false after `limit`.
  bool gone_within(std::chrono::milliseconds limit) const;
  /// What is left below its runtime directory.
  std::vector<std::string> leftover_files() const;
  /// Waits until no process with the mark is left, and no file; false after `limit`. (A process
  /// that is just being executed cannot be told by its mark, and may have something to remove.)
  bool nothing_left_within(std::chrono::milliseconds limit) const;

 private:
  void read_output(bool until_end, const std::string& text);

  std::string mark_;
  std::string directory_;
  pid_t pid_ = -1;
  int output_ = -1;
  int errors_ = -1;
  Outcome outcome_;
  bool waited_ = false;
};

}  // namespace troupe::testing

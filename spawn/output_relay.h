// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carries what a child prints on to this process' own stdout or stderr, and keeps the last lines
// for the report of its death. A task of the loop reads the child's pipe; it never blocks the loop:
// while this process' own output is clogged the child has to wait, as if it wrote there itself.

#include <memory>
#include <string>
#include <string_view>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/spawn/text_tail.h"

namespace troupe::detail {

/// One output of one child. Shared by its `Child` and the task that reads; a process which the
/// child has started and which lives on is read until it closes the pipe, or the run ends.
class OutputRelay : public std::enable_shared_from_this<OutputRelay> {
 public:
  /// Reads from `pipe` and writes to `target`, a standard descriptor of this process. With a
  /// `prefix` it writes whole lines, each after the prefix; without one, octets as they come.
  OutputRelay(UniqueFd pipe, int target, std::string prefix);
  OutputRelay(const OutputRelay&) = delete;
  OutputRelay& operator=(const OutputRelay&) = delete;
  ~OutputRelay();

  /// Starts the task that carries. Never waits. Throws `UsageError` outside of a task.
  void start(std::string task_name);
  /// Takes what the child has written so far, and passes on what can be passed on at once: called
  /// after its death. Never waits.
  void drain() noexcept;
  /// The last lines taken. Never waits.
  std::string tail() const { return tail_.text(); }

 private:
  void carry();
  bool take();
  void accept(std::string_view octets);
  void emit_line();
  std::string_view due() const;
  bool flush();
  void give_up(int error);
  void flush_rest() noexcept;
  void wait_for_more();
  void close() noexcept;

  UniqueFd pipe_;
  const int target_;
  const std::string prefix_;
  bool passes_on_;
  bool said_what_is_lost_ = false;
  bool more_follows_ = false;  // the pipe held more than was read at once
  TextTail tail_;
  std::string line_;     // with a prefix: the beginning of a line whose end has not come yet
  std::string pending_;  // what is still to be written
};

}  // namespace troupe::detail

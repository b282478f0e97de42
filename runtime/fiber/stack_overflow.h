// SPDX-License-Identifier: Apache-2.0
#pragma once

// Says which task overflowed its stack, before the process ends from it. A task that runs into the
// guard page below its stack gets SIGSEGV; its stack is used up, so the handler runs on one of its
// own.

#include <memory>

namespace troupe::detail {

/// Handles SIGSEGV and SIGBUS while it lives: an overflow is reported on stderr with the task's
/// name and the size of its stack, and ends the process by the signal; every other fault goes to
/// the handler that was there before. Handlers installed meanwhile stay. One a loop, on its thread.
class StackOverflowReporter {
 public:
  StackOverflowReporter();
  StackOverflowReporter(const StackOverflowReporter&) = delete;
  StackOverflowReporter& operator=(const StackOverflowReporter&) = delete;
  ~StackOverflowReporter();

 private:
  std::unique_ptr<char[]> own_stack_;  // null when the thread had a stack for handlers
};

}  // namespace troupe::detail

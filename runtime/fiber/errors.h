// SPDX-License-Identifier: Apache-2.0
#pragma once

// The errors of waiting: few, and each with one remedy.

#include "troupe/runtime/base/error.h"

namespace troupe {

/// A `fail_after` or `fail_at` block did not end in time.
class TooSlowError : public Error {
 public:
  using Error::Error;
};

/// A part of the runtime failed, not the program: a system task has thrown.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// A `_nowait` operation would have had to wait.
class WouldBlock : public Error {
 public:
  using Error::Error;
};

/// Under a clock that reports it: every task waits, and nothing can ever wake one. `what()` ends
/// with the tree of the tasks.
class DeadlockError : public Error {
 public:
  using Error::Error;
};

/// All senders are gone and everything sent has been received: the ordinary end of a stream.
class EndOfChannel : public Error {
 public:
  using Error::Error;
};

/// The other side is gone, or this handle was closed: what is sent cannot arrive.
class BrokenChannel : public Error {
 public:
  using Error::Error;
};

}  // namespace troupe

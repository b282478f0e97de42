// SPDX-License-Identifier: Apache-2.0
#pragma once

// For threads of the runtime, which no signal of the program is to find.

#include <csignal>

namespace troupe::detail {

/// Has all signals blocked in the calling thread while it lives: a thread started meanwhile keeps
/// them so.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the runtime itself needs to know of received signals. Not for users.

#include <csignal>

namespace troupe::detail {

/// Takes the signals that a loop blocks only because it receives them out of a mask that a new
/// thread is to get: what the thread starts must not be deaf to them. Thread-safe.
void leave_received_signals_to_their_loop(sigset_t& mask);

/// Who takes a process' signals unless a receiver does. One a process.
class SignalTaker {
 public:
  /// Called on a receiver's thread when the program begins to receive a signal by itself, and when
  /// it ends that. Must not wait.
  virtual void on_received(int signal, bool received) noexcept = 0;

 protected:
  ~SignalTaker() = default;
};

/// Tells `taker` from now on, and at once of what is received already; null: nobody. Thread-safe.
void set_signal_taker(SignalTaker* taker) noexcept;

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signals as a stream: a task receives them one after the other, at a checkpoint, instead of a
// handler that may run anywhere. While a receiver is open its signals do nothing else.

#include <concepts>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

class SignalReceiver;

namespace detail {
/// What it takes to make a receiver.
class SignalReceiverKey {
  SignalReceiverKey() = default;
  friend struct SignalReceiverFactory;
};
struct SignalReceiverFactory {
  static SignalReceiverKey key() { return {}; }
};
}  // namespace detail

/// The signals of one `open_signal_receiver`. Resource. One task at a time may receive. Threads:
/// belongs to the loop in which it was opened.
class SignalReceiver {
 public:
  /// The receiver as an input range: `for (int signal : signals)`. It has no end.
  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(SignalReceiver& receiver)
        : receiver_(&receiver), signal_(receiver.receive()) {}
    int operator*() const noexcept { return signal_; }
    Iterator& operator++() {
      signal_ = receiver_->receive();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return false; }

   private:
    SignalReceiver* receiver_;
    int signal_;
  };

  /// Waits for the next signal and returns its number. A signal that came several times since it
  /// was last received is received once; different ones come in the order of their arrival.
  /// Checkpoint. Throws `UsageError` when another task waits here, or from another thread.
  int receive();
  /// The next signal that has come already, if any. Never waits. Throws as `receive` does.
  std::optional<int> receive_nowait();

  /// Receives the first signal. Checkpoint.
  Iterator begin() { return Iterator(*this); }
  /// Never reached.
  std::default_sentinel_t end() const noexcept { return {}; }

  /// For `open_signal_receiver`.
  SignalReceiver(const std::vector<int>& signals, detail::SignalReceiverKey);
  SignalReceiver(const SignalReceiver&) = delete;
  SignalReceiver& operator=(const SignalReceiver&) = delete;
  ~SignalReceiver();
  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Calls `body` with a receiver of `signals` (`{SIGHUP, SIGUSR1}`), and returns what it returns.
/// Afterwards the signals do what they did before, and those that were not received are delivered
/// in that way. Where receivers of one signal are nested, the innermost gets it. A handler that
/// somebody installs meanwhile is left alone. Throws `UsageError` outside of a task, without
/// signals, for signals that cannot be received (SIGKILL, SIGSTOP, and those of faults), and when
/// the loop of another thread receives one of them.
template <std::invocable<SignalReceiver&> Body>
auto open_signal_receiver(const std::vector<int>& signals, Body&& body) {
  SignalReceiver receiver(signals, detail::SignalReceiverFactory::key());
  return body(receiver);
}

}  // namespace troupe

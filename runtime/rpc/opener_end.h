// SPDX-License-Identifier: Apache-2.0
#pragma once

// The caller's end of a dialog, of every kind: it begins with `start` and ends with exactly one
// `ret` or `error`, or with the connection.

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/dialog_end.h"

namespace troupe {

class CancelScope;
class Peer;
struct BoxedError;

namespace detail {

/// The caller's end. Resource; lives on the caller's stack.
class OpenerEnd final : public DialogEnd {
 public:
  /// Opens a dialog over `port`. `peer` (may be null) explains closed connections, `name` names the
  /// function in messages. Throws as `DialogPort::open_dialog`. Lifetime: all must outlive it.
  OpenerEnd(DialogPort& port, std::string_view name, Peer* peer = nullptr);
  ~OpenerEnd();

  /// It is a context: the other side starts before it sends, and may cancel this one.
  void expect_started() noexcept { is_context_ = true; }
  /// Sends the request, which may be moved from. Lifetime: an attached input, too, must outlive it.
  void start(Bytes& request);

  /// Waits until the other side has started, or ended. Checkpoint. Throws when it ended instead.
  void wait_started();
  /// The octets that it started with.
  BytesView started_value() const noexcept { return started_value_; }
  /// Whether it has started.
  bool started() const noexcept { return started_.is_set(); }

  /// Waits until the other side has ended. Checkpoint.
  void wait_ended() { ended_.wait(); }
  /// Whether it has ended, or the connection has.
  bool ended() const noexcept { return ended_.is_set(); }
  /// The result. It has ended. Throws the error in the place of a result; may wait, shielded and
  /// bounded, for what became of the peer.
  Bytes& result();
  /// What it ended with in the place of a result; null when it gave one. Waits as `result`.
  std::exception_ptr failure();
  /// Whether what it ended with is an error, and not only the answer to a cancel.
  bool failed() const noexcept { return failure_ != nullptr && !was_cancelled_; }

  /// After a cancellation: asks the other side to end and waits, whatever is cancelled: `grace` at
  /// most until it has heard, and then until it has ended. Returns false after giving up, with a
  /// warning.
  bool settle_cancelled(std::chrono::nanoseconds grace);

  /// Is cancelled when the dialog fails or is cancelled before its body ends. Lifetime: until set
  /// to null.
  void set_body(CancelScope* body) noexcept { body_ = body; }
  /// Whether its body has been thrown what the dialog ended with.
  bool told() const noexcept { return told_; }
  /// Whether it ended by a cancellation, and not by a result or an error.
  bool was_cancelled() const noexcept { return was_cancelled_; }
  /// Whether the other side has asked us to end.
  bool cancelled_by_peer() const noexcept { return cancelled_by_peer_; }

  std::string what() const override;
  std::exception_ptr explain(std::exception_ptr closed) override;
  void on_frame(FrameKind kind, BytesView payload) override;
  void on_closed(std::exception_ptr why) override;

 private:
  void end(std::exception_ptr failure);
  void cancel_body(const char* why);
  void on_cancel_acked() override;
  bool expects_values() const noexcept override {
    return had_input() && (started() || !is_context_);
  }
  bool expects_credit() const noexcept override { return is_context_; }

  std::string_view name_;
  Peer* explainer_;
  bool is_context_ = false;
  CancelScope* body_ = nullptr;
  Event started_;
  Event started_or_ended_;
  Event ended_;
  Bytes started_value_;
  Bytes result_;
  std::exception_ptr failure_;
  bool was_cancelled_ = false;  // `failure_` says no more than that
  bool closed_ = false;         // by the connection: `failure_` may mean something else
  bool cancelled_by_peer_ = false;
  bool told_ = false;
};

}  // namespace detail
}  // namespace troupe

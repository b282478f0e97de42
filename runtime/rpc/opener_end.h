// SPDX-License-Identifier: Apache-2.0
#pragma once

// The caller's end of a dialog, of every kind: it begins with `start` and ends with exactly one
// `ret` or `error`, or with the connection.

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/clock.h"
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
  void wait_ended() { wait_for(ended_); }
  /// Whether it has ended, or the connection has.
  bool ended() const noexcept { return ended_.is_set(); }
  /// The result. It has ended. Throws the error in the place of a result; may wait, shielded and
  /// bounded, for what became of the peer.
  Bytes& result();
  /// What it ended with in the place of a result; null when it gave one. Waits as `result`.
  std::exception_ptr failure();
  /// Whether it has answered with an error, and not only that it was cancelled.
  bool failed() const noexcept { return outcome_ == Outcome::error; }
  /// Whether it has answered that it was cancelled.
  bool was_cancelled() const noexcept { return outcome_ == Outcome::cancelled; }
  /// Whether it has given no answer, as the connection has ended.
  bool lost() const noexcept { return outcome_ == Outcome::lost; }
  /// Whether that is what its body is interrupted by, whoever cancels it afterwards.
  bool loss_ends_body() const noexcept { return loss_ends_body_; }
  /// Whether `error` is what its body was thrown, as the dialog was cancelled.
  bool tells_of_cancel(const std::exception_ptr& error) const noexcept {
    return is_own_cancellation(error) || (was_cancelled() && error == failure_);
  }

  /// Asks the other side to end and waits, whatever is cancelled, until it has heard that or has
  /// ended: `grace` at most, counted from the first request. Returns whether it has.
  bool cancel(std::chrono::nanoseconds grace);
  /// The same, and then waits until it has ended. Returns false after giving up, with a warning.
  bool settle_cancelled(std::chrono::nanoseconds grace);
  /// Ends the dialog here without an answer, as cancelled. Does nothing at the end.
  void abandon();

  /// Is cancelled when the dialog fails or is cancelled before its body ends. Lifetime: until set
  /// to null.
  void set_body(CancelScope* body) noexcept { body_ = body; }
  /// Cancels it, once.
  void cancel_body(const char* why);
  /// Whether its body has been thrown what the dialog ended with.
  bool told() const noexcept { return told_; }

  std::string what() const override;
  std::exception_ptr explain(std::exception_ptr failure) override;
  void on_frame(FrameKind kind, BytesView payload) override;
  void on_large_frame(FrameKind kind, Bytes payload) override;
  void on_closed(std::exception_ptr why) override;

 private:
  enum class Outcome : std::uint8_t { none, result, error, cancelled, lost };

  void on_result(Bytes result);
  void wait_for(Event& event);
  std::string wait_text() const;
  void end(Outcome outcome, std::exception_ptr failure);
  void settle(Outcome outcome, std::exception_ptr failure);
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
  Outcome outcome_ = Outcome::none;
  std::exception_ptr failure_;
  bool explained_ = false;  // it says what became of the peer
  bool told_ = false;
  bool loss_ends_body_ = false;
  TimePoint patience_ends_ = never;  // once the other side was asked to end
  bool gave_up_ = false;
};

}  // namespace detail
}  // namespace troupe

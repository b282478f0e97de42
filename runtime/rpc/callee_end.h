// SPDX-License-Identifier: Apache-2.0
#pragma once

// The callee's end of a dialog: runs the function, in the task that serves it, and answers with
// exactly one `ret` or `error`.

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/rpc/dialog_end.h"

namespace troupe {

struct BoxedError;
struct FunctionEntry;

namespace detail {

struct InDispatcher;

/// What the calls of one actor have in common.
struct CalleeHost {
  std::optional<Uid> canceller;             ///< Who has asked the actor to end.
  std::chrono::nanoseconds cancel_grace{};  ///< How long a request to a caller is waited for.
};

/// The callee's end. Owned by the task that serves it, and by sinks that have got out of that; the
/// connection holds a pointer until the dialog ends.
class CalleeEnd final : public DialogEnd,
                        public ListHook<InDispatcher>,
                        public std::enable_shared_from_this<CalleeEnd> {
 public:
  /// Lifetime: all but `arguments` must outlive it.
  CalleeEnd(const FunctionEntry& function, DialogPort& port, std::uint64_t dialog,
            BytesView arguments, const CalleeHost& host);
  ~CalleeEnd();

  /// The function may ask who calls it, also when the connection has ended before it runs.
  void keep_caller() { caller_ = peer(); }
  /// Runs the function and answers. Throws nothing but `Cancelled`.
  void run();

  /// The context's first word to its opener, with what it may send here.
  void send_started(BytesView value);
  /// Whether it was sent.
  bool started() const noexcept { return started_; }
  /// The scope in which the function runs.
  CancelScope& scope() noexcept { return scope_; }
  /// Who has cancelled the dialog, or has asked the whole actor to end.
  std::optional<Uid> canceller() const;
  /// How long a request to the opener is waited for.
  std::chrono::nanoseconds cancel_grace() const noexcept { return host_.cancel_grace; }

  std::string what() const override;
  void on_frame(FrameKind kind, BytesView payload) override;
  void on_closed(std::exception_ptr why) override;

 private:
  bool expects_values() const noexcept override { return had_input(); }
  bool expects_credit() const noexcept override;
  void call();
  void answer(FrameKind kind, Bytes& payload);
  void answer_cancelled() noexcept;
  void answer_error(const std::exception_ptr& error) noexcept;
  void end() noexcept;
  void give_up(const std::exception_ptr& error, const char* why) noexcept;
  void report_unsent(const std::exception_ptr& error, const char* why) const noexcept;

  const FunctionEntry& function_;
  Bytes arguments_;
  const CalleeHost& host_;
  CancelScope scope_;
  bool started_ = false;
  std::optional<Uid> caller_;  // only where the function asks for it
};

/// An error of the runtime itself about a dialog, in the form in which it travels.
Bytes box_verdict(const std::exception_ptr& verdict, const Uid& self);

}  // namespace detail
}  // namespace troupe

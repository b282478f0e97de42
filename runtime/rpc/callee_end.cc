// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/callee_end.h"

#include <utility>

#include "troupe/ipc/limits.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/rpc/call_trace.h"
#include "troupe/runtime/rpc/caller.h"
#include "troupe/runtime/rpc/crash_hook.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/runtime/rpc/stream_input.h"

namespace troupe::detail {
namespace {

Bytes encoded(const BoxedError& box) {
  Bytes out;
  box.encode_into(out);
  return out;
}

}  // namespace

Bytes box_verdict(const std::exception_ptr& verdict, const Uid& self) {
  BoxedError box = box_error(verdict, self);
  box.by_runtime = true;
  return encoded(box);
}

CalleeEnd::CalleeEnd(const FunctionEntry& function, DialogPort& port, std::uint64_t dialog,
                     BytesView arguments, const CalleeHost& host)
    : DialogEnd(&port), function_(function), arguments_(arguments), host_(host) {
  set_id(dialog);
}

CalleeEnd::~CalleeEnd() = default;

std::string CalleeEnd::what() const {
  return "the dialog of " + function_.name + " with " + peer().to_string();
}

std::optional<Uid> CalleeEnd::canceller() const {
  switch (cancelled_from()) {
    case CancelledFrom::here:
      return self();
    case CancelledFrom::there:
      return peer();
    default:
      return host_.canceller;
  }
}

bool CalleeEnd::expects_credit() const noexcept { return function_.kind != FunctionKind::plain; }

// The result lies in scratch, filled after the function has returned.
void CalleeEnd::call() {
  Bytes result;
  if (function_.kind == FunctionKind::plain) {
    function_.thunk(arguments_, result);
  } else {
    function_.dialog_thunk(*this, arguments_, result);
  }
  answer(FrameKind::ret, result);
  give_scratch(std::move(result));
}

void CalleeEnd::run() {
  struct Served {
    CalleeEnd& end;
    ~Served() { end.unlink(); }  // a sink may keep the end itself
  } const served{*this};
  log_line(LogLevel::trace, "rpc", "serves ", function_.name);
  trace_service(peer(), self(), id());
  if (caller_) set_current_caller(*caller_);
  try {
    scope_.run([&] { call(); });
    if (scope_.cancelled_caught()) answer_cancelled();
  } catch (const Cancelled&) {  // the whole actor ends
    answer_cancelled();
    throw;
  } catch (...) {
    // Who has cancelled the context, and then gets that from the stream, has not failed. Nor has
    // who gets from it that the connection is lost.
    const std::exception_ptr error = std::current_exception();
    if (is_own_cancellation(error) || is_loss(error)) return answer_cancelled();
    if (uncaught_error_hook != nullptr) uncaught_error_hook(error);
    answer_error(error);
  }
}

void CalleeEnd::send_started(BytesView value) {
  if (open()) {
    Bytes payload;
    put_window(payload, input() != nullptr ? input()->window() : Window{});
    payload += value;
    port()->send(FrameKind::started, id(), std::move(payload));
  }
  started_ = true;
}

void CalleeEnd::on_frame(FrameKind kind, BytesView payload) {
  if (kind != FrameKind::cancel) return on_common_frame(kind, payload);
  log_line(LogLevel::cancel, "rpc", "the caller cancels ", function_.name);
  on_cancel_requested();
  scope_.cancel("the caller cancelled the call");
}

// Who waits in the stream is told why it ends; all else is cancelled, as nobody is there any more
// to do it for.
void CalleeEnd::on_closed(std::exception_ptr why) {
  keep_uids();
  lose(std::move(why));
  scope_.cancel("the caller is gone");
}

void CalleeEnd::answer(FrameKind kind, Bytes& payload) {
  if (!open()) return;
  if (payload.size() <= max_small_payload) {
    port()->send_copy(kind, id(), payload);
  } else {
    port()->send(kind, id(), std::move(payload));
  }
  end();
}

void CalleeEnd::end() noexcept {
  port()->close_dialog(id());
  if (weak_from_this().use_count() > 1) keep_uids();  // a sink has got out
  finish(nullptr);
}

void CalleeEnd::answer_cancelled() noexcept {
  try {
    const Uid who = canceller().value_or(self());
    Bytes box = box_verdict(
        std::make_exception_ptr(ContextCancelled(
            "the call of " + function_.name + " in " + self().to_string() + " was cancelled by " +
                (who == self() ? "that actor itself" : who.to_string()),
            who)),
        self());
    answer(FrameKind::error, box);
  } catch (const std::exception& unsent) {
    give_up(nullptr, unsent.what());
  }
}

// An error or result that cannot be sent (too large, say) is an error, too.
void CalleeEnd::answer_error(const std::exception_ptr& error) noexcept {
  if (log_enabled(LogLevel::trace, "rpc")) {
    log_line(LogLevel::trace, "rpc", function_.name, " failed: ", exception_message(error));
  }
  if (!open()) return report_unsent(error, "its caller is gone");
  try {
    Bytes box = encoded(box_error(error, self()));
    answer(FrameKind::error, box);
  } catch (const std::exception& unsent) {
    try {
      Bytes box = box_verdict(std::make_exception_ptr(Error(unsent.what())), self());
      answer(FrameKind::error, box);
    } catch (const std::exception& lost) {
      give_up(error, lost.what());
    }
  }
}

void CalleeEnd::give_up(const std::exception_ptr& error, const char* why) noexcept {
  report_unsent(error, why);
  end();
}

void CalleeEnd::report_unsent(const std::exception_ptr& error, const char* why) const noexcept {
  try {
    log_message(LogLevel::error, "rpc",
                what() + " ended and could not tell it, as " + why +
                    (error == nullptr ? "" : ": " + describe_error(error)));
  } catch (const std::exception&) {  // no memory to say so
  }
}

}  // namespace troupe::detail

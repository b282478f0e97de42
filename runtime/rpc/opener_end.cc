// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/opener_end.h"

#include <utility>

#include "troupe/ipc/errors.h"
#include "troupe/ipc/limits.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/call_trace.h"
#include "troupe/runtime/rpc/peer.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe::detail {
namespace {

std::exception_ptr unbox(BoxedError box) {
  try {
    throw_remote(std::move(box));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

OpenerEnd::OpenerEnd(DialogPort& port, std::string_view name, Peer* peer)
    : DialogEnd(&port), name_(name), explainer_(peer) {
  try {
    set_id(port.open_dialog(*this));
  } catch (const TransportClosed&) {
    if (peer == nullptr) throw;
    std::rethrow_exception(peer->explain(std::current_exception()));
  }
}

OpenerEnd::~OpenerEnd() = default;

void OpenerEnd::start(Bytes& request) {
  if (!open()) return;
  trace_call(self(), peer(), id());
  if (request.size() <= max_small_payload) {
    port()->send_copy(FrameKind::start, id(), request);
  } else {
    port()->send(FrameKind::start, id(), std::move(request));
  }
}

std::string OpenerEnd::what() const {
  return "the dialog with " + std::string(name_) + " in " + peer().to_string();
}

// Task trees say whose answer is waited for.
void OpenerEnd::wait_for(Event& event) {
  struct Waiting : Parked {
    const OpenerEnd* end = nullptr;
  } waiter;
  waiter.end = this;
  waiter.describe = [](const Wait& wait) {
    return static_cast<const Waiting&>(wait).end->wait_text();
  };
  event.wait(waiter, "an answer");
}

std::string OpenerEnd::wait_text() const {
  const char* const how = is_context_   ? "portal.open_context("
                          : had_input() ? "portal.open_stream("
                                        : "portal.run(";
  const std::string_view function = name_.substr(0, name_.find('|'));  // without its signature
  return how + std::string(function) + ") of actor '" + peer().name + "'";
}

void OpenerEnd::wait_started() {
  wait_for(started_or_ended_);
  if (started_.is_set()) return;
  static_cast<void>(result());
  throw UsageError(what() + " ended without a word; a context calls `started` first");
}

Bytes& OpenerEnd::result() {
  if (const std::exception_ptr why = failure()) {
    told_ = true;
    std::rethrow_exception(why);
  }
  return result_;
}

// Several may ask, and wait, at once; all get the same.
std::exception_ptr OpenerEnd::failure() {
  if (!lost() || explained_ || explainer_ == nullptr) return failure_;
  std::exception_ptr why = explainer_->explain(failure_);
  if (!std::exchange(explained_, true)) failure_ = std::move(why);
  return failure_;
}

// The receiver of the stream asks, when it is to throw.
std::exception_ptr OpenerEnd::explain(std::exception_ptr) {
  told_ = true;
  return failure();
}

bool OpenerEnd::cancel(std::chrono::nanoseconds grace) {
  request_cancel();
  if (patience_ends_ == never) patience_ends_ = deadline_after(grace);
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_at(patience_ends_, [&] { cancel_settled().wait(); }); });
  return cancel_settled().is_set();
}

bool OpenerEnd::settle_cancelled(std::chrono::nanoseconds grace) {
  log_line(LogLevel::cancel, "rpc", "cancels the call of ", name_, " in '", peer().name, "'");
  if (cancel(grace)) {
    CancelScope shield({.shield = true});
    shield.run([&] { wait_ended(); });
    return true;
  }
  if (std::exchange(gave_up_, true)) return false;
  log_message(LogLevel::warning, "rpc",
              "gave up a cancelled call of " + std::string(name_) + " in " + peer().to_string() +
                  ": no answer to the request within its grace; it may still be running there");
  return false;
}

void OpenerEnd::abandon() {
  if (ended()) return;
  port()->close_dialog(id());
  settle(Outcome::cancelled, own_cancellation());
}

void OpenerEnd::on_frame(FrameKind kind, BytesView payload) {
  switch (kind) {
    case FrameKind::ret:
      return on_result(Bytes(payload));
    case FrameKind::error: {
      BoxedError box = BoxedError::decode(payload);
      const bool cancelled = box.by_runtime && box.type == type_name<ContextCancelled>();
      return end(cancelled ? Outcome::cancelled : Outcome::error, unbox(std::move(box)));
    }
    case FrameKind::started: {
      if (!is_context_ || started()) break;
      ByteReader reader(payload);
      credit(get_window(reader));
      started_value_ = Bytes(reader.rest());
      started_.set();
      started_or_ended_.set();
      return;
    }
    case FrameKind::cancel:
      if (!is_context_) break;
      on_cancel_requested();
      return cancel_body("the other side cancelled the context");
    default:
      break;
  }
  on_common_frame(kind, payload);
}

void OpenerEnd::on_large_frame(FrameKind kind, Bytes payload) {
  if (kind == FrameKind::ret) return on_result(std::move(payload));
  DialogEnd::on_large_frame(kind, std::move(payload));
}

void OpenerEnd::on_result(Bytes result) {
  result_ = std::move(result);
  end(Outcome::result, nullptr);
}

void OpenerEnd::on_closed(std::exception_ptr why) {
  keep_uids();
  loss_ends_body_ = body_ != nullptr && !body_->effectively_cancelled() &&
                    cancelled_from() == CancelledFrom::nowhere;
  settle(Outcome::lost, std::move(why));
  cancel_body("the connection has ended");
}

void OpenerEnd::end(Outcome outcome, std::exception_ptr failure) {
  port()->close_dialog(id());
  settle(outcome, std::move(failure));
  if (failure_ != nullptr) cancel_body("the other side has ended with an error");
}

void OpenerEnd::settle(Outcome outcome, std::exception_ptr failure) {
  outcome_ = outcome;
  failure_ = std::move(failure);
  finish(failure_);
  started_or_ended_.set();
  ended_.set();
}

void OpenerEnd::cancel_body(const char* why) {
  if (body_ != nullptr) std::exchange(body_, nullptr)->cancel(why);
}

void OpenerEnd::on_cancel_acked() { cancel_body("the context was cancelled"); }

}  // namespace troupe::detail

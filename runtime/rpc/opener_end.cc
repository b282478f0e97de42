// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/opener_end.h"

#include <utility>

#include "troupe/ipc/errors.h"
#include "troupe/ipc/limits.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/timeouts.h"
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
  if (request.size() <= piece_size) {
    port()->send_copy(FrameKind::start, id(), request);
  } else {
    port()->send(FrameKind::start, id(), std::move(request));
  }
}

std::string OpenerEnd::what() const {
  return "the dialog with " + std::string(name_) + " in " + peer().to_string();
}

void OpenerEnd::wait_started() {
  started_or_ended_.wait();
  if (started_.is_set()) return;
  if (const std::exception_ptr why = failure()) std::rethrow_exception(why);
  throw UsageError(what() + " ended without a word; a context calls `started` first");
}

Bytes& OpenerEnd::result() {
  if (const std::exception_ptr why = failure()) {
    told_ = true;
    std::rethrow_exception(why);
  }
  return result_;
}

std::exception_ptr OpenerEnd::failure() {
  if (closed_ && explainer_ != nullptr) {
    failure_ = explainer_->explain(failure_);  // others may ask meanwhile
    closed_ = false;
  }
  return failure_;
}

// The receiver of the stream asks, when it is to throw.
std::exception_ptr OpenerEnd::explain(std::exception_ptr closed) {
  told_ = true;
  const std::exception_ptr why = failure();
  return why != nullptr ? why : closed;
}

bool OpenerEnd::settle_cancelled(std::chrono::nanoseconds grace) {
  log_line(LogLevel::cancel, "rpc", "cancels the call of ", name_, " in '", peer().name, "'");
  request_cancel();
  CancelScope shield({.shield = true});
  shield.run([&] {
    move_on_after(grace, [&] { cancel_settled().wait(); });
    if (cancel_acked()) ended_.wait();
  });
  if (ended()) return true;
  log_message(LogLevel::warning, "rpc",
              "gave up a cancelled call of " + std::string(name_) + " in " + peer().to_string() +
                  ": no answer to the request within its grace; it may still be running there");
  return false;
}

void OpenerEnd::on_frame(FrameKind kind, BytesView payload) {
  switch (kind) {
    case FrameKind::ret:
      result_ = Bytes(payload);
      return end(nullptr);
    case FrameKind::error: {
      BoxedError box = BoxedError::decode(payload);
      was_cancelled_ = box.by_runtime && box.type == type_name<ContextCancelled>();
      return end(unbox(std::move(box)));
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
      if (!is_context_ || cancelled_by_peer_) break;
      cancelled_by_peer_ = true;
      port()->send_copy(FrameKind::cancel_ack, id(), {});
      return cancel_body("the other side cancelled the context");
    default:
      break;
  }
  on_common_frame(kind, payload);
}

void OpenerEnd::on_closed(std::exception_ptr why) {
  closed_ = true;
  failure_ = std::move(why);
  lose_port(failure_);
  started_or_ended_.set();
  ended_.set();
  cancel_body("the connection has ended");
}

void OpenerEnd::end(std::exception_ptr failure) {
  port()->close_dialog(id());
  failure_ = std::move(failure);
  finish(failure_);
  started_or_ended_.set();
  ended_.set();
  if (failure_ != nullptr) cancel_body("the other side has ended with an error");
}

void OpenerEnd::cancel_body(const char* why) {
  if (body_ != nullptr) std::exchange(body_, nullptr)->cancel(why);
}

void OpenerEnd::on_cancel_acked() { cancel_body("the context was cancelled"); }

}  // namespace troupe::detail

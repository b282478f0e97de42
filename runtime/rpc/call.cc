// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/call.h"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/peer.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

constexpr std::size_t max_name = 4096;

// One call in progress; lives on the caller's stack.
class PendingCall final : public DialogHandler {
 public:
  PendingCall(Connection& connection, Bytes start)
      : connection_(connection), dialog_(connection.open_dialog(*this)) {
    try {
      connection.send(FrameKind::start, dialog_, std::move(start));
    } catch (...) {
      connection.close_dialog(dialog_);
      throw;
    }
  }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall() {
    if (!closed_) connection_.close_dialog(dialog_);
  }

  // Checkpoint: the result, or what is to be thrown.
  Bytes wait() {
    if (!ended_.is_set()) ended_.wait();
    return take_result();
  }

  // After a cancellation: asks the other side to end, and waits for that. Throws an error that the
  // function raised before the request reached it; a result that crossed the request is dropped.
  void cancel(std::string_view what, std::chrono::nanoseconds grace) {
    if (!ended_.is_set()) connection_.send(FrameKind::cancel, dialog_, {});
    CancelScope shield({.shield = true});
    shield.run([&] { move_on_after(grace, [&] { ended_.wait(); }); });
    if (!ended_.is_set()) {
      log_message(LogLevel::warning, "rpc",
                  "gave up a cancelled call of " + std::string(what) + " in " +
                      connection_.peer().to_string() +
                      ": it did not end in time; it may still be running there");
      return;
    }
    if (error_ && !error_->by_runtime) throw_remote(*std::move(error_));
  }

  void on_frame(FrameKind kind, BytesView payload) override {
    switch (kind) {
      case FrameKind::ret:
        result_ = Bytes(payload);
        return end();
      case FrameKind::error:
        error_ = BoxedError::decode(payload);
        return end();
      case FrameKind::cancel_ack:
        return;
      default:
        throw Error(std::string("a frame '") + to_string(kind) + "' in answer to a plain call");
    }
  }

  void on_closed(std::exception_ptr why) override {
    closed_ = std::move(why);
    ended_.set();
  }

 private:
  void end() {
    connection_.close_dialog(dialog_);
    ended_.set();
  }

  Bytes take_result() {
    if (closed_) std::rethrow_exception(closed_);
    if (error_) throw_remote(*std::move(error_));
    return std::move(result_);
  }

  Connection& connection_;
  std::uint64_t dialog_;
  Event ended_;
  Bytes result_;
  std::optional<BoxedError> error_;
  std::exception_ptr closed_;
};

}  // namespace

void CallRequest::encode_head(Bytes& out) const {
  put_u8(out, static_cast<std::uint8_t>(by));
  if (by == By::id) return put_u64(out, id);
  put_string(out, path);
  put_string(out, signature);
}

CallRequest CallRequest::decode(BytesView payload) {
  ByteReader reader(payload);
  CallRequest request;
  request.by = static_cast<By>(reader.u8());
  if (request.by == By::id) {
    request.id = reader.u64();
  } else {
    request.path = reader.string(max_name);
    request.signature = reader.string(max_name);
  }
  request.arguments = reader.rest();
  return request;
}

namespace detail {

Bytes call_over(Connection& connection, Bytes start, std::string_view what,
                std::chrono::nanoseconds cancel_grace) {
  checkpoint_if_cancelled();
  log_line(LogLevel::trace, "rpc", "calls ", what, " in '", connection.peer().name, "'");
  PendingCall pending(connection, std::move(start));
  try {
    Bytes result = pending.wait();
    log_line(LogLevel::trace, "rpc", "has the result of ", what);
    return result;
  } catch (const Cancelled&) {
    log_line(LogLevel::cancel, "rpc", "cancels the call of ", what, " in '", connection.peer().name,
             "'");
    pending.cancel(what, cancel_grace);
    throw;
  }
}

Bytes call(Peer& peer, Bytes start, std::string_view what) {
  std::exception_ptr closed;
  try {
    const std::shared_ptr<Connection> connection = peer.connect();
    return call_over(*connection, std::move(start), what, peer.cancel_grace());
  } catch (const TransportClosed&) {
    closed = std::current_exception();
  }
  std::rethrow_exception(peer.explain(std::move(closed)));
}

}  // namespace detail
}  // namespace troupe

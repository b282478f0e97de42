// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/call.h"

#include <exception>
#include <memory>
#include <utility>

#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/rpc/opener_end.h"
#include "troupe/runtime/rpc/peer.h"

namespace troupe {
namespace {

constexpr std::size_t max_name = 4096;

// With the first octet of a request: a window follows it.
constexpr std::uint8_t window_flag = 0x80;

}  // namespace

void CallRequest::encode_head(Bytes& out) const {
  put_u8(out,
         static_cast<std::uint8_t>(static_cast<std::uint8_t>(by) | (window ? window_flag : 0)));
  if (window) detail::put_window(out, *window);
  if (by == By::id) return put_u64(out, id);
  put_string(out, path);
  put_string(out, signature);
}

CallRequest CallRequest::decode(BytesView payload) {
  ByteReader reader(payload);
  CallRequest request;
  const std::uint8_t first = reader.u8();
  if ((first & window_flag) != 0) request.window = detail::get_window(reader);
  request.by = static_cast<By>(first & ~window_flag);
  if (request.by != By::id && request.by != By::name)
    throw Error("a request that names its function in an unknown way");
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

PlainCall::PlainCall(Peer& peer, std::string_view what) : peer_(peer), port_(connect(peer)) {
  checkpoint_if_cancelled();
  log_line(LogLevel::trace, "rpc", "calls ", what, " in '", port_->peer().name, "'");
  end_.emplace(*port_, what, &peer);
}

PlainCall::~PlainCall() = default;

Bytes& PlainCall::wait() {
  try {
    end_->wait_ended();
  } catch (const Cancelled&) {
    if (end_->settle_cancelled(peer_.cancel_grace()) && end_->failed())
      std::rethrow_exception(end_->failure());
    throw;
  }
  return end_->result();
}

std::shared_ptr<DialogPort> connect(Peer& peer) {
  std::exception_ptr closed;
  try {
    return peer.connect();
  } catch (const TransportClosed&) {
    closed = std::current_exception();
  }
  std::rethrow_exception(peer.explain(std::move(closed)));
}

}  // namespace detail
}  // namespace troupe

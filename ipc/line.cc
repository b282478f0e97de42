// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/line.h"

#include <memory>
#include <utility>

#include "troupe/ipc/buffers.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {

namespace {
// From here on a turn's output does not wait for the turn's end.
constexpr std::size_t flush_at = 16 * 1024;
static_assert(flush_at < buffer_size);
// Who heeds `wait_for_room` goes on when less is queued.
constexpr std::size_t room_below = 4 * max_small_payload;

// For libzmq, which calls it on a thread of its own.
void give_back(void*, void* owned) {
  const std::unique_ptr<Bytes> buffer(static_cast<Bytes*>(owned));
  give_buffer(std::move(*buffer));
}
}  // namespace

Line::Line(SessionConfig config, Link& link, Pump& pump, TransportHandler& handler)
    : session_(std::move(config), *this), link_(&link), pump_(&pump), handler_(&handler) {}

void Line::detach() noexcept {
  link_ = nullptr;
  pump_ = nullptr;
  handler_ = nullptr;
  wait_for_room_.unpark_all();
  static_cast<ListHook<InDirty>&>(*this).unlink();
}

void Line::receive(BytesView message) {
  log_line(LogLevel::trace, "ipc", "received ", message.size(), " octets from '",
           session_.peer().uid.name, "'");
  session_.receive(message);
  queued();
}

void Line::queued() noexcept {
  // With a message held back the network is full: the link flushes when there is room.
  if (pump_ == nullptr || holds_message_ || !session_.has_output()) return;
  pump_->mark_dirty(*this);
  if (session_.queued() >= flush_at) flush();
}

bool Line::has_room() const noexcept {
  return session_.closed() || link_ == nullptr || session_.queued() < room_below;
}

void Line::wait_for_room() {
  if (!has_room()) return wait_for_room_.park("Connection::wait_for_room");
  Loop& loop = Loop::current();
  loop.check_cancelled();
  loop.spend();
}

void Line::flush() noexcept {
  try {
    while (link_ != nullptr && (holds_message_ || session_.may_send_message())) {
      if (!send_one()) return;
    }
  } catch (const std::exception& error) {
    log_message(LogLevel::error, "ipc",
                "output to " + session_.peer_text() + " was lost: " + error.what());
  }
}

void Line::hold_next_message() {
  if (Bytes buffer = session_.take_buffered(); !buffer.empty()) {
    auto owned = std::make_unique<Bytes>(std::move(buffer));
    held_.rebuild(owned->data(), owned->size(), &give_back, owned.get());
    static_cast<void>(owned.release());
  } else {
    held_.rebuild(session_.batch_size());
    session_.take_batch(held_.data<char>());
  }
  holds_message_ = true;
}

bool Line::send_one() {
  if (!holds_message_) hold_next_message();
  const std::size_t size = held_.size();
  if (!link_->try_send(held_)) return false;
  log_line(LogLevel::trace, "ipc", "sent ", size, " octets to '", session_.peer().uid.name, "'");
  holds_message_ = false;
  if (!wait_for_room_.empty() && has_room()) wait_for_room_.unpark_all();
  return true;
}

void Line::on_established() {
  if (log_enabled(LogLevel::transport, "ipc")) {
    log_line(LogLevel::transport, "ipc", "connected to ", session_.peer_text());
  }
  reported_ = true;
  if (handler_ != nullptr) handler_->on_connected(*connection_);
  settled.set();
}

DialogHandler* Line::on_start(std::uint64_t dialog, BytesView payload) {
  return handler_ == nullptr ? nullptr : handler_->on_start(*connection_, dialog, payload);
}

void Line::on_session_closed(std::exception_ptr why) {
  if (log_enabled(LogLevel::transport, "ipc")) {
    log_line(LogLevel::transport, "ipc", "a connection has ended: ", exception_message(why));
  }
  settled.set();
  ended.set();
  wait_for_room_.unpark_all();
  if (handler_ != nullptr && reported_) handler_->on_disconnected(*connection_, why);
  queued();  // the last word
  if (pump_ != nullptr) pump_->tidy_soon();
}

}  // namespace troupe::detail

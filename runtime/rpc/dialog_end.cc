// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/dialog_end.h"

#include "troupe/ipc/limits.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/runtime/rpc/stream_input.h"

namespace troupe::detail {
namespace {

// What a stop frame says: no more values from me; and I receive none.
constexpr BytesView half_close("\0", 1);
constexpr BytesView leave("\1", 1);

}  // namespace

void put_window(Bytes& out, Window window) {
  put_u32(out, window.messages);
  put_u64(out, window.octets);
}

Window get_window(ByteReader& reader) {
  Window window;
  window.messages = reader.u32();
  window.octets = reader.u64();
  return window;
}

DialogEnd::DialogEnd(DialogPort* port) : port_(port) {
  if (port == nullptr) kept_ = std::make_unique<std::pair<Uid, Uid>>();
  peer_ = port != nullptr ? &port->peer() : &kept_->first;
  self_ = port != nullptr ? &port->self() : &kept_->second;
}

DialogEnd::~DialogEnd() {
  detach();
  if (port_ != nullptr && id_ != 0) port_->close_dialog(id_);
}

void DialogEnd::attach(StreamInput& input) noexcept {
  input_ = &input;
  had_input_ = true;
  input.attach(*this);
}

void DialogEnd::detach() noexcept {
  if (input_ != nullptr) std::exchange(input_, nullptr)->detach();
}

// ---- Sending ----

// The answer to a value that the other side sent just before it left is nobody's fault: it
// vanishes. Who has read the end (or never had anything to read) knows better; and who has no
// credit would wait for ever.
bool DialogEnd::peer_left_seen() const noexcept {
  return peer_left_ && input_ != nullptr && input_->end_known();
}

bool DialogEnd::can_ever_send() const noexcept {
  return port_ != nullptr && !stopped_ && !peer_left_seen() && (!peer_left_ || credit_.available());
}

// Credit wakes the first who waits, and each wakes the next: whoever sends all the time goes behind
// those who wait, also where there is credit for one value only.
void DialogEnd::wait_until_may_send() {
  bool my_turn = !others_wait();
  while (!my_turn || !may_send()) {
    if (!can_ever_send()) throw_broken();
    if (my_turn && credit_.available() && must_wait_for_room()) {
      wait_for_room();
    } else {
      park_sender();
      my_turn = true;
    }
  }
}

void DialogEnd::park_sender() {
  Sender sender;
  senders_.park(sender, "Stream::send");
  if (sender.has_turn) turn_given_ = false;
}

void DialogEnd::wait_for_room() {
  struct Waiting {
    bool& flag;
    explicit Waiting(bool& f) : flag(f) { flag = true; }
    ~Waiting() { flag = false; }
  } const waiting(waits_for_room_);
  port_->wait_for_room();
}

void DialogEnd::wake_next_sender() noexcept {
  if (turn_given_ || !credit_.available()) return;
  Parked* const first = senders_.unpark_one();
  if (first == nullptr) return;
  static_cast<Sender*>(first)->has_turn = true;
  turn_given_ = true;
}

void DialogEnd::throw_broken() {
  if (port_ == nullptr && cancelled_from_ == CancelledFrom::here)
    std::rethrow_exception(own_cancellation());
  if (lost_ != nullptr) std::rethrow_exception(lost_);
  if (stopped_) throw BrokenChannel("this end of " + what() + " was closed here; send before that");
  throw BrokenChannel("a value was sent in " + what() + ", where " + peer().to_string() +
                      " receives no more; end when the other side does");
}

void DialogEnd::send_octets(Bytes& octets) {
  const std::uint64_t cost = cost_of(octets.size());
  if (octets.size() <= max_small_payload) {
    port_->send_value(id_, octets);
  } else {
    port_->send(FrameKind::yield, id_, std::move(octets));
  }
  credit_.spend(cost);
}

void DialogEnd::credit(Window more) noexcept {
  credit_.grant(more);
  wake_next_sender();
}

void DialogEnd::grant(Window more) {
  if (port_ == nullptr) return;
  Bytes payload;
  put_window(payload, more);
  port_->send_copy(FrameKind::credit, id_, payload);
}

void DialogEnd::stop_sending() {
  if (std::exchange(stopped_, true) || port_ == nullptr) return;
  port_->send_copy(FrameKind::stop, id_, half_close);
  senders_.unpark_all();
}

void DialogEnd::leave_stream() {
  stopped_ = true;
  if (std::exchange(left_, true) || port_ == nullptr) return;
  port_->send_copy(FrameKind::stop, id_, leave);
  senders_.unpark_all();
}

void DialogEnd::request_cancel() {
  if (port_ == nullptr || std::exchange(cancel_called_, true)) return;
  if (cancelled_from_ == CancelledFrom::nowhere) cancelled_from_ = CancelledFrom::here;
  port_->send_copy(FrameKind::cancel, id_, {});
}

void DialogEnd::on_cancel_requested() {
  if (std::exchange(cancel_requested_, true)) throw_out_of_place(FrameKind::cancel);
  if (cancelled_from_ == CancelledFrom::nowhere) cancelled_from_ = CancelledFrom::there;
  port_->send_copy(FrameKind::cancel_ack, id_, {});
}

const std::exception_ptr& DialogEnd::own_cancellation() {
  if (own_cancellation_ == nullptr) {
    own_cancellation_ = std::make_exception_ptr(ContextCancelled(
        what() + " was cancelled from here, and does not go on; do what is to be done before that",
        self()));
  }
  return own_cancellation_;
}

// ---- Receiving ----

void DialogEnd::on_common_frame(FrameKind kind, BytesView payload) {
  switch (kind) {
    case FrameKind::yield:
      check_expects_value(kind);
      if (input_ != nullptr) input_->accept(Bytes(payload));
      return;
    case FrameKind::yields:
      check_expects_value(kind);
      if (input_ != nullptr) input_->accept_several(payload);
      return;
    case FrameKind::stop:
      if (!expects_values() || peer_left_) break;
      return on_stop(payload);
    case FrameKind::credit: {
      if (!expects_credit()) break;
      ByteReader reader(payload);
      const Window more = get_window(reader);
      if (reader.left() != 0) break;
      return credit(more);
    }
    case FrameKind::cancel_ack:
      if (!cancel_called_ || cancel_acked_.is_set()) break;
      cancel_acked_.set();
      cancel_acked_or_ended_.set();
      return on_cancel_acked();
    default:
      break;
  }
  throw_out_of_place(kind);
}

void DialogEnd::on_large_frame(FrameKind kind, Bytes payload) {
  if (kind != FrameKind::yield) return on_frame(kind, payload);
  check_expects_value(kind);
  if (input_ != nullptr) input_->accept(std::move(payload));
}

void DialogEnd::check_expects_value(FrameKind kind) const {
  if (!expects_values() || peer_stopped_) throw_out_of_place(kind);
}

void DialogEnd::on_stop(BytesView payload) {
  const bool left = payload == leave;
  if (!left && (payload != half_close || peer_stopped_)) throw_out_of_place(FrameKind::stop);
  peer_stopped_ = true;
  peer_left_ = left;
  if (input_ != nullptr) input_->finish(nullptr);
  if (!left) return;
  credit_.bound(default_window);
  senders_.unpark_all();
}

void DialogEnd::throw_out_of_place(FrameKind kind) const {
  throw Error(std::string("a frame '") + to_string(kind) + "' out of place in " + what());
}

void DialogEnd::keep_uids() noexcept {
  kept_ = std::make_unique<std::pair<Uid, Uid>>(peer(), self());
  peer_ = &kept_->first;
  self_ = &kept_->second;
}

void DialogEnd::lose(std::exception_ptr why) noexcept {
  lost_ = why;
  finish(std::move(why));
}

void DialogEnd::finish(std::exception_ptr failure) noexcept {
  port_ = nullptr;
  cancel_acked_or_ended_.set();
  senders_.unpark_all();
  if (input_ != nullptr) input_->finish_with_dialog(std::move(failure));
}

}  // namespace troupe::detail

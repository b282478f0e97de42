// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/session.h"

#include <algorithm>
#include <utility>

#include "troupe/ipc/text.h"

namespace troupe {

namespace {

constexpr std::size_t max_ping = 64;

std::exception_ptr make_closed(TransportClosed::Reason reason, const std::string& message,
                               const Uid& peer) {
  return std::make_exception_ptr(TransportClosed(reason, message, peer.uuid));
}

}  // namespace

// ---- Life ----

Session::Session(SessionConfig config, SessionEvents& events)
    : config_(std::move(config)),
      events_(events),
      state_(config_.role == Role::connector ? State::awaiting_welcome : State::awaiting_hello),
      next_id_(config_.role == Role::connector ? 2 : 1),
      partials_(config_.limits) {
  if (config_.role == Role::acceptor) return;
  peer_.address = config_.dialed;
  Hello hello;
  hello.versions = config_.versions;
  hello.key = fingerprint(config_.key ? &*config_.key : nullptr);
  hello.nonce = config_.nonce;
  hello.dialed = config_.dialed;
  hello.self = self_info();
  hello_ = encode_hello(hello);
  push(FrameKind::hello, 0, hello_);
}

EndInfo Session::self_info() const {
  EndInfo info;
  info.uid = config_.uid;
  info.address = config_.address;
  info.build_id = config_.build_id;
  info.pid = config_.pid;
  info.max_payload = config_.limits.max_payload;
  info.max_dialogs = config_.limits.max_dialogs;
  return info;
}

std::string Session::peer_text() const {
  std::string text;
  if (!peer_.uid.name.empty()) {
    text = "actor " + peer_.uid.to_string() + " (pid " + std::to_string(peer_.pid) + ")";
  }
  if (!peer_.address.empty()) text += (text.empty() ? "the peer at " : " at ") + peer_.address;
  return text.empty() ? "an unknown peer" : text;
}

void Session::close(TransportClosed::Reason reason, const std::string& message) {
  if (closed()) return;
  state_ = State::closed;
  why_ = make_closed(reason, message, peer_.uid);
  close_dialogs(why_);
  events_.on_session_closed(why_);
}

void Session::close_dialogs(const std::exception_ptr& why) {
  // One by one out of the table: a handler may close (and destroy) others while it is told.
  while (dialogs_.size() != 0) {
    const auto [id, handler] = dialogs_.pop();
    if (!opened_here(id)) --dialogs_of_peer_;
    handler->on_closed(why);
  }
  partials_ = Reassembly(config_.limits);
}

void Session::disconnected(TransportClosed::Reason reason, const std::string& how) {
  if (peer_said_bye_) return close(TransportClosed::Reason::left, peer_text() + " has left");
  close(reason, how);
}

void Session::refuse(const std::string& reason) {
  outbox_.clear();
  owed_pong_.reset();
  push(FrameKind::refuse, 0, reason);
}

void Session::violated(const std::string& what) {
  if (state_ == State::awaiting_welcome) {
    return close(TransportClosed::Reason::violation,
                 "what answers at " + config_.dialed +
                     " is no troupe actor that can be talked to: " + what +
                     "; check the address, and that both programs are of the same version");
  }
  refuse("you broke the protocol: " + what);
  close(TransportClosed::Reason::violation,
        peer_text() + " broke the protocol, so its connection was ended: " + what +
            "; check that both programs are of the same version");
}

// ---- Incoming ----

void Session::receive(BytesView message) {
  if (closed()) return;
  try {
    const bool stranger = state_ == State::awaiting_hello || state_ == State::awaiting_welcome;
    if (stranger && message.size() > max_handshake_size) {
      throw ProtocolViolation("a first message of " + std::to_string(message.size()) + " octets");
    }
    FrameReader frames(message);
    for (FrameView frame; !closed() && frames.next(frame);) {
      ++frames_received_;
      handle(frame);
    }
  } catch (const ProtocolViolation& violation) {
    violated(violation.what());
  } catch (const std::exception& error) {
    refuse(std::string("an internal error ended the connection: ") + error.what());
    close(TransportClosed::Reason::violation,
          "a message from " + peer_text() +
              " could not be handled, so its connection was ended: " + error.what());
  }
}

void Session::reject(const std::string& what) {
  if (!closed()) violated(what);
}

void Session::handle(const FrameView& frame) {
  if (state_ != State::open) return handle_in_handshake(frame);
  if (!is_dialog_kind(frame.kind)) return handle_for_connection(frame);
  handle_for_dialog(frame);
}

void Session::handle_in_handshake(const FrameView& frame) {
  if (state_ == State::awaiting_hello && frame.kind == FrameKind::hello)
    return on_hello(frame.payload);
  if (state_ == State::awaiting_welcome && frame.kind == FrameKind::welcome)
    return on_welcome(frame.payload);
  if (state_ == State::awaiting_proof && frame.kind == FrameKind::proof)
    return on_proof(frame.payload);
  if (state_ != State::awaiting_hello && frame.kind == FrameKind::refuse)
    return handle_for_connection(frame);
  throw ProtocolViolation(std::string("a ") + to_string(frame.kind) +
                          " frame before the end of the handshake");
}

void Session::handle_for_connection(const FrameView& frame) {
  switch (frame.kind) {
    case FrameKind::ping:
      return on_ping(frame.payload);
    case FrameKind::pong:
      return on_pong(frame.payload);
    case FrameKind::bye:
      return on_bye();
    case FrameKind::bye_ack:
      return on_bye_ack();
    case FrameKind::refuse:
      return close(TransportClosed::Reason::refused,
                   peer_text() + " refused the connection: " + printable(frame.payload));
    default:
      throw ProtocolViolation(std::string("a ") + to_string(frame.kind) +
                              " frame after the handshake");
  }
}

void Session::handle_for_dialog(const FrameView& frame) {
  // It is answered, and a peer need not read the answers. (So is a cancel, but once a dialog.)
  if (frame.kind == FrameKind::start && outbox_.queued() > config_.limits.max_queued) {
    throw ProtocolViolation("a start frame while " + std::to_string(outbox_.queued()) +
                            " octets wait to be read");
  }
  if (!frame.is_piece) return deliver(frame.kind, frame.dialog, frame.payload);
  // Pieces for a dialog that has ended here are not worth collecting.
  if (frame.kind != FrameKind::start && dialogs_.find(frame.dialog) == nullptr) {
    return deliver(frame.kind, frame.dialog, {});
  }
  if (std::optional<Bytes> whole = partials_.add(frame))
    deliver_large(frame.kind, frame.dialog, *std::move(whole));
}

void Session::deliver(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  if (kind == FrameKind::start) return start_dialog(dialog, payload);
  if (DialogHandler* handler = find_handler(kind, dialog)) handler->on_frame(kind, payload);
}

void Session::deliver_large(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  if (kind == FrameKind::start) return start_dialog(dialog, payload);
  if (DialogHandler* handler = find_handler(kind, dialog))
    handler->on_large_frame(kind, std::move(payload));
}

// Null for a dialog that has ended here.
DialogHandler* Session::find_handler(FrameKind kind, std::uint64_t dialog) {
  if (DialogHandler* handler = dialogs_.find(dialog)) return handler;
  const bool known = opened_here(dialog) ? dialog < next_id_ : dialog <= highest_of_peer_;
  if (!known) {
    throw ProtocolViolation(std::string("a ") + to_string(kind) + " frame for dialog " +
                            std::to_string(dialog) + ", which was never opened");
  }
  ++late_frames_;
  return nullptr;
}

void Session::start_dialog(std::uint64_t dialog, BytesView payload) {
  const auto refuse_start = [&](const char* why) {
    throw ProtocolViolation("a start frame for dialog " + std::to_string(dialog) + ", " + why);
  };
  if (opened_here(dialog)) refuse_start("an id that is not the peer's to open");
  if (dialogs_.find(dialog) != nullptr) refuse_start("which is open already");
  if (peer_said_bye_) refuse_start("after bye");
  if (dialogs_of_peer_ / 2 >= config_.limits.max_dialogs) refuse_start("with too many others open");
  // Openers count upwards; ids far apart could be chosen to fall together in the table.
  const std::uint64_t farthest = std::uint64_t{8} * config_.limits.max_dialogs + 1024;
  if (dialog > highest_of_peer_ + farthest) refuse_start("far beyond all before");
  highest_of_peer_ = std::max(highest_of_peer_, dialog);
  if (said_bye_) {  // it crossed our bye, which will tell the peer
    ++late_frames_;
    return;
  }
  DialogHandler* handler = events_.on_start(dialog, payload);
  if (handler == nullptr) return;
  if (closed()) return handler->on_closed(why_);
  dialogs_.insert(dialog, *handler);
  ++dialogs_of_peer_;
}

// ---- Dialogs ----

bool Session::opened_here(std::uint64_t dialog) const noexcept {
  return dialog % 2 == next_id_ % 2;
}

std::uint64_t Session::open_dialog(DialogHandler& handler) {
  if (why_ != nullptr) std::rethrow_exception(why_);
  if (!established()) {
    throw TransportClosed(
        TransportClosed::Reason::unreachable,
        "the connection to " + peer_text() + " does not stand yet; wait for it first");
  }
  if (leaving()) {
    throw TransportClosed(TransportClosed::Reason::left,
                          "the connection to " + peer_text() + " is being closed; connect again",
                          peer_.uid.uuid);
  }
  if (dialogs_.size() - dialogs_of_peer_ >= peer_.max_dialogs) {
    throw UsageError(peer_text() + " takes at most " + std::to_string(peer_.max_dialogs) +
                     " dialogs at once; wait for some to end, or bound them by a CapacityLimiter");
  }
  const std::uint64_t id = next_id_;
  dialogs_.insert(id, handler);
  next_id_ += 2;
  return id;
}

void Session::close_dialog(std::uint64_t dialog) noexcept {
  if (dialogs_.erase(dialog) == nullptr) return;
  if (!opened_here(dialog)) --dialogs_of_peer_;
  if (partials_.count() != 0) partials_.forget(dialog);
}

bool Session::may_send(std::size_t octets) const {
  if (!established() || leaving()) return false;
  if (octets <= peer_.max_payload) return true;
  throw UsageError("a value of " + std::to_string(octets) + " octets is more than the " +
                   std::to_string(peer_.max_payload) + " that " + peer_text() +
                   " takes; send it in parts, as a stream");
}

void Session::send(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  if (may_send(payload.size())) push(kind, dialog, std::move(payload));
}

void Session::send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  if (!may_send(payload.size())) return;
  ++frames_sent_;
  outbox_.push_copy(kind, dialog, payload);
}

void Session::send_value(std::uint64_t dialog, BytesView octets) {
  if (!may_send(octets.size())) return;
  if (outbox_.push_value(dialog, octets)) ++frames_sent_;
}

void Session::push(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  ++frames_sent_;
  outbox_.push(kind, dialog, std::move(payload));
}

void Session::on_ping(BytesView octets) {
  if (octets.size() > max_ping) throw ProtocolViolation("a ping with too much in it");
  owed_pong_ = Bytes(octets);
}

void Session::on_pong(BytesView octets) {
  if (unread_ && octets.size() == sizeof(std::uint64_t)) unread_->on_read(ByteReader(octets).u64());
}

// ---- Messages ----

// Adds what goes with the next message because it goes.
void Session::complete_message() {
  if (std::exchange(message_complete_, true)) return;
  if (owed_pong_) push(FrameKind::pong, 0, *std::exchange(owed_pong_, std::nullopt));
  if (!unread_ || outbox_.empty()) return;
  const std::uint64_t number = unread_->add(established());
  if (number == 0) return;
  Bytes octets;
  put_u64(octets, number);
  push(FrameKind::ping, 0, std::move(octets));
}

std::size_t Session::batch_size() {
  complete_message();
  return outbox_.batch_size();
}

void Session::take_batch(char* out) {
  complete_message();
  message_complete_ = false;
  if (unread_) unread_->add_octets(outbox_.batch_size());
  outbox_.take_batch(out);
}

Bytes Session::take_buffered() {
  complete_message();
  Bytes message = outbox_.take_buffered();
  if (message.empty()) return message;
  message_complete_ = false;
  if (unread_) unread_->add_octets(message.size());
  return message;
}

// ---- The end in order ----

void Session::say_bye() {
  if (closed() || said_bye_) return;
  if (!established()) {
    return close(TransportClosed::Reason::shut_down,
                 "the connection to " + peer_text() + " was given up before it stood");
  }
  said_bye_ = true;
  ++frames_sent_;
  outbox_.push_last(FrameKind::bye);
}

void Session::on_bye() {
  if (peer_said_bye_) throw ProtocolViolation("a second bye");
  peer_said_bye_ = true;
  ++frames_sent_;
  outbox_.push_last(FrameKind::bye_ack);
  close_dialogs(make_closed(
      TransportClosed::Reason::left,
      peer_text() + " has left, so it answers no more; connect to its successor", peer_.uid));
  if (!said_bye_) say_bye();
  if (bye_acked_)
    close(TransportClosed::Reason::left,
          "the connection to " + peer_text() + " was closed in order");
}

void Session::on_bye_ack() {
  if (!said_bye_ || bye_acked_) throw ProtocolViolation("a bye_ack without a bye");
  bye_acked_ = true;
  if (peer_said_bye_)
    close(TransportClosed::Reason::left,
          "the connection to " + peer_text() + " was closed in order");
}

SessionStatistics Session::statistics() const {
  SessionStatistics counts;
  counts.open_dialogs = dialogs_.size();
  counts.partial_payloads = partials_.count();
  counts.queued_octets = outbox_.queued();
  counts.frames_received = frames_received_;
  counts.frames_sent = frames_sent_;
  counts.late_frames = late_frames_;
  return counts;
}

}  // namespace troupe

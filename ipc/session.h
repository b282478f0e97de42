// SPDX-License-Identifier: Apache-2.0
#pragma once

// One end of a connection as a pure state machine: messages in, messages and events out; no
// sockets, no clock. It does the handshake, keeps the table of open dialogs, packs what is sent,
// and turns whatever a broken or hostile peer sends into the end of this one connection.
// `Connection` puts it on a socket.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "troupe/ipc/auth.h"
#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/dialog_table.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/frame.h"
#include "troupe/ipc/handshake.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/outbox.h"
#include "troupe/ipc/reassembly.h"
#include "troupe/ipc/unread_messages.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// Which end of the connection a session is.
enum class Role : std::uint8_t { connector, acceptor };

/// What a session has to know from the start.
struct SessionConfig {
  Role role = Role::connector;
  Uid uid;                 ///< Who we are.
  std::string address;     ///< Where we listen, for the peer's information; may be empty.
  std::string build_id;    ///< Which program we run.
  std::uint32_t pid = 0;   ///< Our process.
  std::optional<Key> key;  ///< What the peer must hold too. Without one every handshake is refused.
  Nonce nonce{};           ///< Never used before.
  Limits limits;
  VersionRange versions;  ///< Protocol versions that we speak.
  std::string dialed;     ///< Connector: the address that we connected to.
  /// Acceptor: whether we listen at the address that the connector says it has dialed.
  UniqueFunction<bool(const std::string&)> listens_at;
};

/// What a session reports. The calls come in the middle of `receive` or `close`; they must not
/// wait.
class SessionEvents {
 public:
  /// The handshake is done and the peer known: dialogs can be opened.
  virtual void on_established() = 0;
  /// The peer opens a dialog. Returns who handles it, or null when nothing more is to be heard of
  /// it (also when it was answered and ended within the call). `payload` ends with the call.
  virtual DialogHandler* on_start(std::uint64_t dialog, BytesView payload) = 0;
  /// The connection has ended; every dialog has been told before. Comes exactly once.
  virtual void on_session_closed(std::exception_ptr why) = 0;

 protected:
  ~SessionEvents() = default;
};

/// Counts, for diagnosis.
struct SessionStatistics {
  std::size_t open_dialogs = 0;
  std::size_t partial_payloads = 0;  ///< Large payloads that have arrived in part.
  std::size_t queued_octets = 0;     ///< What waits to be sent.
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t late_frames = 0;  ///< Frames for dialogs that had ended here.
};

/// One end of a connection.
class Session {
 public:
  /// A connector's hello is ready to be sent at once. Lifetime: `events` must outlive the session.
  Session(SessionConfig config, SessionEvents& events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes one message from the peer. Whatever is wrong with it ends the connection; nothing is
  /// thrown.
  void receive(BytesView message);
  /// The peer has sent what is not even a message; as if `receive` had found it.
  void reject(const std::string& what);
  /// The transport below has ended. Does nothing when the session has ended before.
  void disconnected(TransportClosed::Reason reason, const std::string& how);

  /// Opens a dialog; its `start` is still to be sent. Throws `TransportClosed` unless
  /// `established()`, and `UsageError` beyond the number of dialogs that the peer allows. Lifetime:
  /// `handler` must outlive the dialog.
  std::uint64_t open_dialog(DialogHandler& handler);
  /// Forgets a dialog, of either opener: frames that still come for it are dropped. Unknown ids are
  /// ignored.
  void close_dialog(std::uint64_t dialog) noexcept;
  /// Queues a frame of a dialog. Without effect when the connection has ended or we have said bye.
  /// Throws `UsageError` when the payload is larger than the peer takes.
  void send(FrameKind kind, std::uint64_t dialog, Bytes payload);
  /// The same for a payload that is copied, which suits small ones.
  void send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload);
  /// Queues a value of a stream, of at most `max_small_payload` octets, likewise.
  void send_value(std::uint64_t dialog, BytesView octets);
  /// Ends the connection in order: after everything queued the peer is told, and the session closes
  /// when it has answered.
  void say_bye();

  /// From now on the peer is asked which messages it has read, and few are sent that it has not.
  /// For connections whose peer's silence is taken for its death.
  void limit_unread() { unread_.emplace(); }

  /// Whether the handshake is done and the connection stands.
  bool established() const noexcept { return state_ == State::open; }
  /// Whether the connection has ended.
  bool closed() const noexcept { return state_ == State::closed; }
  /// Whether either side has said bye.
  bool leaving() const noexcept { return said_bye_ || peer_said_bye_; }
  /// Why it has ended; null while it stands.
  const std::exception_ptr& why() const noexcept { return why_; }

  /// What the peer must hold, too.
  const std::optional<Key>& key() const noexcept { return config_.key; }
  /// Who we are.
  const Uid& self() const noexcept { return config_.uid; }
  /// What the peer told of itself. Undefined before the handshake is done.
  const EndInfo& peer() const noexcept { return peer_; }
  /// "worker@1f3a9c02 (pid 12) at ipc:///...", or as much of it as is known.
  std::string peer_text() const;

  /// Whether there are octets to send; also after the end, for the last word.
  bool has_output() const noexcept { return !outbox_.empty() || owed_pong_; }
  /// How many.
  std::size_t queued() const noexcept { return outbox_.queued(); }
  /// Whether the next message may go out now; if not, it may when the peer has answered.
  bool may_send_message() const noexcept {
    return has_output() && (!unread_ || unread_->may_send() || owed_pong_ || closed());
  }
  /// The size of the next message to send; 0 when there is none. Nothing may be queued between this
  /// and `take_batch`.
  std::size_t batch_size();
  /// Writes the next message, exactly `batch_size()` octets.
  void take_batch(char* out);
  /// See `Outbox::take_buffered`.
  Bytes take_buffered();

  SessionStatistics statistics() const;

 private:
  enum class State : std::uint8_t {
    awaiting_hello,
    awaiting_welcome,
    awaiting_proof,
    open,
    closed
  };

  void handle(const FrameView& frame);
  void handle_in_handshake(const FrameView& frame);
  void handle_for_connection(const FrameView& frame);
  void handle_for_dialog(const FrameView& frame);
  void deliver(FrameKind kind, std::uint64_t dialog, BytesView payload);
  void deliver_large(FrameKind kind, std::uint64_t dialog, Bytes payload);
  DialogHandler* find_handler(FrameKind kind, std::uint64_t dialog);
  void start_dialog(std::uint64_t dialog, BytesView payload);
  void check_known(const FrameView& frame) const;

  void on_hello(BytesView octets);
  void on_welcome(BytesView octets);
  void on_proof(BytesView octets);
  void on_bye();
  void on_bye_ack();
  void on_ping(BytesView octets);
  void on_pong(BytesView octets);
  void complete_message();
  std::string fault_of(const Hello& hello);
  void establish(EndInfo peer);

  EndInfo self_info() const;
  bool opened_here(std::uint64_t dialog) const noexcept;
  bool may_send(std::size_t octets) const;
  void push(FrameKind kind, std::uint64_t dialog, Bytes payload);
  void refuse(const std::string& reason);
  void violated(const std::string& what);
  void close(TransportClosed::Reason reason, const std::string& message);
  void close_dialogs(const std::exception_ptr& why);

  SessionConfig config_;
  SessionEvents& events_;
  State state_;
  bool said_bye_ = false;
  bool peer_said_bye_ = false;
  bool bye_acked_ = false;
  EndInfo peer_;
  Bytes hello_;  // what the proofs cover
  Bytes welcome_;
  std::exception_ptr why_;
  DialogTable dialogs_;
  std::size_t dialogs_of_peer_ = 0;
  std::uint64_t next_id_;
  std::uint64_t highest_of_peer_ = 0;
  Outbox outbox_;
  Reassembly partials_;
  std::optional<Bytes> owed_pong_;  // one answers all pings before it
  std::optional<UnreadMessages> unread_;
  bool message_complete_ = false;  // the next one has its ping and pong
  std::uint64_t frames_received_ = 0;
  std::uint64_t frames_sent_ = 0;
  std::uint64_t late_frames_ = 0;
};

}  // namespace troupe

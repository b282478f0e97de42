// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection to one other actor, whichever side made it: who the peer is, and the dialogs of both
// directions. What is sent is collected and leaves together when no task is ready any more.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/credentials.h"
#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/uid.h"

namespace troupe {

namespace detail {
class Line;
}

/// Counts of one connection, for diagnosis.
struct ConnectionStatistics {
  std::size_t open_dialogs = 0;      ///< Of both directions.
  std::size_t partial_payloads = 0;  ///< Large payloads that have arrived in part.
  std::size_t queued_octets = 0;     ///< What waits to be sent.
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t late_frames = 0;  ///< Frames for dialogs that had ended here.
};

/// A connection to a peer that has proved who it is. Resource, made by `Transport` and shared with
/// those who talk over it; it may outlive the transport, closed. All calls are made on the loop.
class Connection final : public DialogPort, public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(std::unique_ptr<detail::Line> line);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Who the peer is.
  const Uid& peer() const noexcept override;
  /// Where the peer listens; empty when nowhere.
  Address peer_address() const;
  /// The peer's process, as it says.
  int peer_pid() const noexcept;
  /// The peer's process, as the kernel says; only when the peer made the connection, over a Unix
  /// socket.
  const std::optional<PeerCredentials>& credentials() const noexcept { return credentials_; }
  /// Which program the peer runs.
  const std::string& build_id() const noexcept;
  /// "actor worker@1f3a9c02 (pid 12) at ipc:///...", for messages.
  std::string peer_text() const;

  /// Whether it stands, and neither side has said bye.
  bool open() const noexcept;
  /// Why it has ended, a `TransportClosed`; null while it stands.
  std::exception_ptr why() const noexcept;

  // The way of the dialogs.
  std::uint64_t open_dialog(DialogHandler& handler) override;
  void close_dialog(std::uint64_t dialog) noexcept override;
  void send(FrameKind kind, std::uint64_t dialog, Bytes payload) override;
  void send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) override;
  void send_value(std::uint64_t dialog, BytesView octets) override;
  std::size_t queued() const noexcept override;
  void wait_for_room() override;
  const Uid& self() const noexcept override;

  /// Hands what is queued to the network at once, for a caller who may keep the loop busy from now
  /// on. Never waits.
  void flush() noexcept;

  /// Ends the connection in order: the peer reads all that was sent, then both sides close. Every
  /// open dialog ends with `TransportClosed`. Never waits.
  void say_bye();
  /// Waits until the connection has ended, in order or not. Checkpoint.
  void wait_closed();

  ConnectionStatistics statistics() const;

  /// For the transport.
  detail::Line& line() noexcept { return *line_; }
  const detail::Line& line() const noexcept { return *line_; }
  void set_credentials(const std::optional<PeerCredentials>& credentials) noexcept {
    credentials_ = credentials;
  }

 private:
  std::unique_ptr<detail::Line> line_;
  std::optional<PeerCredentials> credentials_;
};

}  // namespace troupe

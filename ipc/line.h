// SPDX-License-Identifier: Apache-2.0
#pragma once

// A session on a socket: the private half of a `Connection`. Private to the package.

#include <memory>
#include <string>
#include <zmq.hpp>

#include "troupe/ipc/pump.h"
#include "troupe/ipc/session.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

class Connection;
class TransportHandler;

/// The way of one connection's messages to its peer.
class Link {
 public:
  /// Hands `message` over if the network takes it now. Otherwise the link calls `Line::flush`
  /// later, when there is room or never when the peer is gone. Never waits.
  virtual bool try_send(zmq::message_t& message) = 0;

 protected:
  ~Link() = default;
};

namespace detail {

/// A session, its link, and who waits for it.
class Line final : public SessionEvents, public Flushable {
 public:
  Line(SessionConfig config, Link& link, Pump& pump, TransportHandler& handler);

  /// Says which connection this is; before anything else.
  void attach(Connection& connection) noexcept { connection_ = &connection; }
  /// The transport ends: nothing is sent or reported from now on.
  void detach() noexcept;

  Session& session() noexcept { return session_; }
  const Session& session() const noexcept { return session_; }

  /// A message has come.
  void receive(BytesView message);
  /// Something was queued: it is flushed soon, or at once when it is much.
  void queued() noexcept;
  void flush() noexcept override;
  /// Waits until the network has taken most of what is queued, or the connection has ended.
  /// Checkpoint.
  void wait_for_room();

  Event settled;  ///< The handshake is over, well or not.
  Event ended;    ///< The connection is over.

 private:
  void on_established() override;
  DialogHandler* on_start(std::uint64_t dialog, BytesView payload) override;
  void on_session_closed(std::exception_ptr why) override;
  void hold_next_message();
  bool send_one();
  bool has_room() const noexcept;

  Session session_;
  Link* link_;
  Pump* pump_;
  TransportHandler* handler_;
  Connection* connection_ = nullptr;
  bool reported_ = false;
  bool holds_message_ = false;
  ParkingLot wait_for_room_;
  zmq::message_t held_;  // taken from the session, not yet by the network
};

}  // namespace detail

}  // namespace troupe

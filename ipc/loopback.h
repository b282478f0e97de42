// SPDX-License-Identifier: Apache-2.0
#pragma once

// An actor's connection to itself: two sessions face to face, without a socket. Everything else is
// as between two processes, so a portal to oneself behaves as any other. Private to the package.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/line.h"
#include "troupe/ipc/pump.h"
#include "troupe/ipc/transport.h"

namespace troupe {

/// Both ends of it. Resource of a transport.
class Loopback final : public Pollable {
 public:
  /// How an end's session is set up.
  using MakeConfig = std::function<SessionConfig(Role)>;

  /// Shakes hands with itself; `handler` hears of the dialogs, and not of the connection.
  Loopback(const MakeConfig& make_config, Pump& pump, TransportHandler& handler);
  ~Loopback();

  /// The end that opens dialogs. Never null; it is established a turn after the first use.
  const std::shared_ptr<Connection>& connection() const noexcept { return ends_[0]; }

  bool drain() override;
  bool look() noexcept override { return false; }

 private:
  // One direction. Messages wait here for the transport's task, as they would in a socket: an end
  // is not called from within the other one, nor from outside of tasks, where output is flushed.
  struct Wire final : Link {
    bool try_send(zmq::message_t& message) override;
    Loopback* loopback = nullptr;
    std::deque<zmq::message_t> under_way{};
  };
  struct Quiet final : TransportHandler {
    explicit Quiet(TransportHandler& all) : inner(all) {}
    DialogHandler* on_start(Connection& from, std::uint64_t dialog, BytesView payload) override {
      return inner.on_start(from, dialog, payload);
    }
    void on_connected(Connection&) override {}
    void on_disconnected(Connection&, std::exception_ptr) override {}
    TransportHandler& inner;
  };

  Pump& pump_;
  Quiet handler_;
  Wire wires_[2];  // from the end of that number
  std::shared_ptr<Connection> ends_[2];
};

}  // namespace troupe

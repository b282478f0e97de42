// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection before there is anybody who speaks over it: the DEALER socket, and what libzmq tells
// of it. Making the two takes as long as a message to another process, so that it is done ahead
// where there is time; from `begin` on ZeroMQ's threads find and greet the peer. Private to the
// package.

#include <memory>
#include <utility>
#include <zmq.hpp>

#include "troupe/ipc/address.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/monitor.h"

namespace troupe {

/// One attempt to connect.
struct Dial {
  /// Makes the sockets. Throws `Error` when the process has no descriptor left.
  explicit Dial(const TimeLimits& limits);

  /// Begins the connection; to be called once. Never waits. Throws `TransportClosed` when the
  /// address makes no sense to libzmq.
  void begin(const Address& to);

  TimeLimits times;
  std::shared_ptr<zmq::context_t> context;
  Address address;  ///< Empty until it is begun.
  zmq::socket_t socket;
  EventSource events;
};

/// Begins connections. Who connects to somebody else than its parent, who was dialed early, will
/// connect to more: from the first one on it keeps the sockets of the next.
class Dialer {
 public:
  explicit Dialer(const TimeLimits& times) : times_(times) {}

  /// The next `begin` with its address goes on with this one.
  void adopt(std::unique_ptr<Dial> early) noexcept { early_ = std::move(early); }
  /// Begins a connection. Never waits. Throws as `Dial` does.
  std::unique_ptr<Dial> begin(const Address& address);
  /// Makes the sockets for the next one, unless none is to be expected, or they are there. To be
  /// called where there is time: while a peer answers.
  void prepare() noexcept;
  /// Gives away what was not used.
  std::unique_ptr<Dial> take_spare() noexcept { return std::move(spare_); }

 private:
  TimeLimits times_;
  std::unique_ptr<Dial> early_;
  std::unique_ptr<Dial> spare_;
  bool expects_more_ = false;
};

}  // namespace troupe

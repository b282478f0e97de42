// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection that is begun: the DEALER socket, and what libzmq tells of it. ZeroMQ's threads find
// and greet the peer from here on, whether or not anybody is there yet who speaks over it. Private
// to the package.

#include <chrono>
#include <memory>
#include <zmq.hpp>

#include "troupe/ipc/address.h"
#include "troupe/ipc/monitor.h"

namespace troupe {

/// One attempt to connect.
struct Dial {
  /// Begins it. Throws `TransportClosed` when the address makes no sense to libzmq, `Error` when
  /// the process has no descriptor left.
  Dial(const Address& address, std::chrono::milliseconds handshake_timeout);

  std::shared_ptr<zmq::context_t> context;
  Address address;
  zmq::socket_t socket;
  EventSource events;
};

}  // namespace troupe

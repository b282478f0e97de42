// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads what libzmq tells of a socket's connections. Its I/O thread blocks when nobody reads, so
// the reader's queue has no limit, and the order of closing is fixed here once. Private to the
// package.

#include <cstdint>
#include <zmq.hpp>

namespace troupe {

/// Events of one socket. Must be destroyed before that socket.
class Monitor {
 public:
  /// One event: ZMQ_EVENT_..., and its value (the descriptor for most).
  struct Event {
    std::uint16_t what = 0;
    std::int32_t value = 0;
  };

  /// Watches `socket` for the events in `mask`.
  Monitor(zmq::context_t& context, zmq::socket_t& socket, int mask);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  /// The descriptor that signals events, edge-triggered.
  int fd() const;
  /// Gets the next event; false when there is none. Never waits.
  bool next(Event& event);

 private:
  zmq::socket_t& socket_;
  zmq::socket_t reader_;
};

}  // namespace troupe

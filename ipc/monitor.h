// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads what libzmq tells of a socket's connections. Its I/O thread blocks when nobody reads, so
// the reader's queue has no limit, and the order of closing is fixed here once. Private to the
// package.

#include <cstdint>
#include <zmq.hpp>

#include "troupe/ipc/pump.h"

namespace troupe {

/// The socket from which the events of another one are read. Must be destroyed before that one.
class EventSource {
 public:
  /// Has libzmq tell of the events in `mask` from now on.
  EventSource(zmq::context_t& context, zmq::socket_t& socket, int mask);
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;
  ~EventSource();

  zmq::socket_t& reader() noexcept { return reader_; }

 private:
  zmq::socket_t& socket_;
  zmq::socket_t reader_;
};

/// Reads an event source on the loop. Must be destroyed before it.
class Monitor final : public Pollable {
 public:
  /// One event: ZMQ_EVENT_..., and its value (the descriptor for most).
  struct Event {
    std::uint16_t what = 0;
    std::int32_t value = 0;
  };

  /// Has `owner` drained when there are events.
  Monitor(EventSource& events, Pump& pump, Pollable& owner);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() { silence(); }

  /// Tells nobody any more. To be called when the destructor will not be.
  void silence() noexcept { pump_.remove(reader_.get(zmq::sockopt::fd)); }

  /// Whether there may be events. Asking costs nothing.
  bool signalled() const noexcept { return signalled_; }
  /// Gets the next event; false when there is none. Never waits.
  bool next(Event& event);

  // Its own descriptor has signalled.
  bool drain() override;
  bool look() noexcept override { return false; }

 private:
  zmq::socket_t& reader_;
  Pump& pump_;
  Pollable& owner_;
  bool signalled_ = false;
};

}  // namespace troupe

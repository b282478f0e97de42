// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/monitor.h"

#include <atomic>
#include <cstring>
#include <string>

#include "troupe/ipc/zmq_socket.h"
#include "troupe/runtime/base/error.h"

namespace troupe {

namespace {

std::string fresh_endpoint() {
  static std::atomic<std::uint64_t> count = 0;
  return "inproc://troupe-monitor-" + std::to_string(++count);
}

}  // namespace

EventSource::EventSource(zmq::context_t& context, zmq::socket_t& socket, int mask)
    : socket_(socket), reader_(make_socket(context, zmq::socket_type::pair)) {
  reader_.set(zmq::sockopt::rcvhwm, 0);
  const std::string endpoint = fresh_endpoint();
  if (zmq_socket_monitor(socket.handle(), endpoint.c_str(), mask) != 0) {
    throw Error(std::string("a ZeroMQ socket cannot be monitored: ") + zmq_strerror(zmq_errno()) +
                "; raise the limit of open files (ulimit -n)");
  }
  reader_.connect(endpoint);
}

// Stopped before the reader closes: an event without a reader would block the I/O thread for ever.
EventSource::~EventSource() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

Monitor::Monitor(EventSource& events, Pump& pump, Pollable& owner)
    : reader_(events.reader()), pump_(pump), owner_(owner) {
  pump_.add(reader_.get(zmq::sockopt::fd), *this);
}

bool Monitor::drain() {
  signalled_ = true;
  pump_.mark_ready(owner_);
  return false;
}

bool Monitor::next(Event& event) {
  zmq::message_t message;
  if (!try_receive(reader_, message)) {
    signalled_ = false;
    return false;
  }
  const BytesView octets = octets_of(message);
  event = {};
  if (octets.size() >= sizeof event.what + sizeof event.value) {
    std::memcpy(&event.what, octets.data(), sizeof event.what);
    std::memcpy(&event.value, octets.data() + sizeof event.what, sizeof event.value);
  }
  drop_rest(reader_, message);
  return true;
}

}  // namespace troupe

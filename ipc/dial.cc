// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/dial.h"

#include <string>

#include "troupe/ipc/errors.h"
#include "troupe/ipc/zmq_socket.h"

namespace troupe {

namespace {

// Never tried again by libzmq itself. (Not -1: then the socket would drop what has arrived and was
// not yet read when the connection breaks, and so the peer's last words.)
constexpr int never_again_ms = 24 * 3600 * 1000;
// Between hosts a cable can be cut without a word; libzmq's I/O threads ask and answer.
constexpr int heartbeat_ms = 5'000;
constexpr int heartbeat_timeout_ms = 15'000;

// Not ZMQ_EVENT_CONNECTED: that it broke says that it stood, and nobody need wake up for it before.
constexpr int watched_events = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED |
                               ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

zmq::socket_t make_dealer(zmq::context_t& context, const Address& address,
                          std::chrono::milliseconds handshake_timeout) {
  zmq::socket_t socket = make_socket(context, zmq::socket_type::dealer);
  limit_socket(socket, handshake_timeout);
  socket.set(zmq::sockopt::reconnect_ivl, never_again_ms);
  if (address.kind() == Address::Kind::tcp) {
    socket.set(zmq::sockopt::connect_timeout, static_cast<int>(handshake_timeout.count()));
    if (address.host().find(':') != std::string::npos) socket.set(zmq::sockopt::ipv6, true);
  }
  if (!address.is_local()) {
    socket.set(zmq::sockopt::heartbeat_ivl, heartbeat_ms);
    socket.set(zmq::sockopt::heartbeat_timeout, heartbeat_timeout_ms);
    socket.set(zmq::sockopt::heartbeat_ttl, heartbeat_timeout_ms);
  }
  return socket;
}

}  // namespace

Dial::Dial(const Address& to, std::chrono::milliseconds handshake_timeout)
    : context(shared_context()),
      address(to),
      socket(make_dealer(*context, to, handshake_timeout)),
      events(*context, socket, watched_events) {
  try {
    socket.connect(address.str());
  } catch (const zmq::error_t& error) {
    throw TransportClosed(
        TransportClosed::Reason::unreachable,
        "no connection to " + address.str() + ": " + error.what() + "; check the address");
  }
}

}  // namespace troupe

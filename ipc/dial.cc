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

// Not ZMQ_EVENT_CONNECTED: that it broke says that it stood, and nobody need wake up for it before.
constexpr int watched_events = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED |
                               ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

zmq::socket_t make_dealer(zmq::context_t& context, std::chrono::milliseconds handshake) {
  zmq::socket_t socket = make_socket(context, zmq::socket_type::dealer);
  limit_socket(socket, handshake);
  socket.set(zmq::sockopt::reconnect_ivl, never_again_ms);
  socket.set(zmq::sockopt::connect_timeout, static_cast<int>(handshake.count()));
  return socket;
}

}  // namespace

Dial::Dial(const TimeLimits& limits)
    : times(limits),
      context(shared_context()),
      socket(make_dealer(*context, times.handshake)),
      events(*context, socket, watched_events) {}

void Dial::begin(const Address& to) {
  address = to;
  if (to.kind() == Address::Kind::tcp && to.host().find(':') != std::string::npos) {
    socket.set(zmq::sockopt::ipv6, true);
  }
  if (to.kind() == Address::Kind::tcp) hold_many_messages(socket);
  // Between hosts a cable can be cut without a word; libzmq's I/O threads ask and answer.
  if (!to.is_local()) {
    const int silence = static_cast<int>(times.liveness.count());
    socket.set(zmq::sockopt::heartbeat_ivl, silence / 3);
    socket.set(zmq::sockopt::heartbeat_timeout, silence);
    socket.set(zmq::sockopt::heartbeat_ttl, silence);
  }
  try {
    socket.connect(to.str());
  } catch (const zmq::error_t& error) {
    throw TransportClosed(
        TransportClosed::Reason::unreachable,
        "no connection to " + to.str() + ": " + error.what() + "; check the address");
  }
}

std::unique_ptr<Dial> Dialer::begin(const Address& address) {
  if (early_ != nullptr && early_->address == address) return std::move(early_);
  auto dial = spare_ != nullptr ? std::move(spare_) : std::make_unique<Dial>(times_);
  dial->begin(address);
  expects_more_ = true;
  return dial;
}

void Dialer::prepare() noexcept {
  if (!expects_more_ || spare_ != nullptr) return;
  try {
    spare_ = std::make_unique<Dial>(times_);
  } catch (const std::exception&) {  // the next `begin` tries again, and says what is wrong
  }
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/loopback.h"

#include <utility>

#include "troupe/ipc/zmq_socket.h"

namespace troupe {

Loopback::Loopback(const MakeConfig& make_config, Pump& pump, TransportHandler& handler)
    : handler_(handler) {
  static constexpr Role roles[2] = {Role::connector, Role::acceptor};
  for (int i = 0; i < 2; ++i) {
    wires_[i].to = &ends_[1 - i];
    ends_[i] = std::make_shared<Connection>(
        std::make_unique<detail::Line>(make_config(roles[i]), wires_[i], pump, handler_));
  }
  ends_[0]->line().flush();  // the hello; the answers follow from it
}

Loopback::~Loopback() {
  for (const auto& end : ends_) end->line().detach();
}

bool Loopback::Wire::try_send(zmq::message_t& message) {
  (*to)->line().receive(octets_of(message));
  return true;
}

}  // namespace troupe

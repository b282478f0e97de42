// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/loopback.h"

#include <utility>

#include "troupe/ipc/zmq_socket.h"

namespace troupe {

namespace {

// The sender keeps the rest, and batches it.
constexpr std::size_t max_under_way = 64;

}  // namespace

Loopback::Loopback(const MakeConfig& make_config, Pump& pump, TransportHandler& handler)
    : pump_(pump), handler_(handler) {
  static constexpr Role roles[2] = {Role::connector, Role::acceptor};
  for (int i = 0; i < 2; ++i) {
    wires_[i].loopback = this;
    ends_[i] = std::make_shared<Connection>(
        std::make_unique<detail::Line>(make_config(roles[i]), wires_[i], pump, handler_));
  }
  ends_[0]->line().flush();  // the hello; the answers follow from it
}

Loopback::~Loopback() {
  for (const auto& end : ends_) end->line().detach();
}

bool Loopback::Wire::try_send(zmq::message_t& message) {
  if (under_way.size() >= max_under_way) return false;
  under_way.push_back(std::move(message));
  loopback->pump_.mark_ready(*loopback);
  return true;
}

bool Loopback::drain() {
  for (int i = 0; i < 2; ++i) {
    std::deque<zmq::message_t> messages;
    messages.swap(wires_[i].under_way);
    for (const zmq::message_t& message : messages) {
      ends_[1 - i]->line().receive(octets_of(message));
    }
    if (!messages.empty()) ends_[i]->line().flush();  // there is room again
  }
  return !wires_[0].under_way.empty() || !wires_[1].under_way.empty();
}

}  // namespace troupe

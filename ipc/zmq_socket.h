// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every ZeroMQ socket of the package has in common: the process's one context, options without
// which libzmq waits for ever or trusts strangers, and calls that never wait. Private to the
// package.

#include <sys/un.h>

#include <chrono>
#include <memory>
#include <string>
#include <zmq.hpp>

#include "troupe/runtime/base/bytes.h"

namespace troupe {

/// The ZeroMQ context of this process. Made when first asked for, ended with its last user; a
/// process that was forked meanwhile leaves the parent's alone.
std::shared_ptr<zmq::context_t> shared_context();

/// Makes a socket that lingers for nobody. Throws `Error` when the process has no descriptor left.
zmq::socket_t make_socket(zmq::context_t& context, zmq::socket_type type);

/// Limits what peers can make this socket hold: sizes and numbers of messages, time of handshakes.
void limit_socket(zmq::socket_t& socket, std::chrono::milliseconds handshake_timeout);

/// Lets libzmq hold so many messages for this process of each connection that is made from now on
/// as those between hosts need (see unread_messages.h), or as few as others do.
void hold_many_messages(zmq::socket_t& socket);
void hold_few_messages(zmq::socket_t& socket);

/// The name of a Unix socket, as the system takes it. `path` has `Address::max_path` octets at
/// most.
sockaddr_un unix_name(const std::string& path) noexcept;

/// Receives a message part; false when there is none. Every command that waits for the socket has
/// been processed when it returns false. Never waits.
bool try_receive(zmq::socket_t& socket, zmq::message_t& message);

/// Receives what is left of a message of which `message` is a part, into the same.
void drop_rest(zmq::socket_t& socket, zmq::message_t& message);

/// Processes the commands that wait for the socket, so that the next one signals, and tells what it
/// is ready for: ZMQ_POLLIN, ZMQ_POLLOUT. Never waits.
int look_at(zmq::socket_t& socket) noexcept;

/// A message's octets.
inline BytesView octets_of(const zmq::message_t& message) noexcept {
  return {static_cast<const char*>(message.data()), message.size()};
}

}  // namespace troupe

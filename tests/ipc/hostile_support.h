// SPDX-License-Identifier: Apache-2.0
#pragma once

// For the tests with hostile peers: a server with one honest client, and peers that hold the key,
// shake hands as they should and then say what they like.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <zmq.hpp>

#include "troupe/ipc/session.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe::testing {
/// Waits for a message, without blocking the loop.
inline std::string answer(zmq::socket_t& socket) {
  zmq::message_t message;
  while (!socket.recv(message, zmq::recv_flags::dontwait)) sleep(std::chrono::milliseconds(1));
  return message.to_string();
}

/// Sends a message, without blocking the loop.
inline void say(zmq::socket_t& socket, const Bytes& message) {
  while (!socket.send(zmq::buffer(message), zmq::send_flags::dontwait)) {
    sleep(std::chrono::milliseconds(1));
  }
}

/// A server with one honest client, and a place for strangers.
struct Server {
  explicit Server(TransportOptions options = options_for("server"))
      : transport(std::move(options), handler), client(options_for("client"), at_client) {
    transport.bind(directory.address());
  }

  /// Lets `attack` do its worst, and checks that the honest client is served before and after, and
  /// how many were let in.
  void survive(const std::function<void(zmq::context_t&)>& attack, int let_in = 1) {
    serve_while({&transport, &client}, [&] {
      auto connection = client.connect(directory.address());
      EXPECT_EQ(echo(connection, "before"), "before");
      zmq::context_t context;
      attack(context);
      EXPECT_EQ(echo(connection, "after"), "after");
      context.close();
      wait_until([&] { return transport.statistics().peers == 1; });
      EXPECT_EQ(echo(connection, "at last"), "at last");
    });
    EXPECT_EQ(handler.connected, let_in);
    EXPECT_EQ(handler.disconnected, let_in - 1);
    EXPECT_EQ(at_client.disconnected, 0);
  }

  zmq::socket_t stranger(zmq::context_t& context) {
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvhwm, 10);  // what it does not read piles up at the server soon
    socket.connect(directory.address().str());
    return socket;
  }

  SocketDirectory directory;
  Echo handler, at_client;
  Transport transport, client;
};

/// A peer that holds the key: its half of the handshake is a real session's.
class Traitor final : private SessionEvents {
 public:
  /// `tune` may spoil the session's configuration.
  Traitor(zmq::context_t& context, Server& server,
          const std::function<void(SessionConfig&)>& tune = {})
      : socket_(server.stranger(context)), session_(config(server, tune), *this) {}

  /// Shakes hands; false when it was refused.
  bool enter() {
    while (!session_.established() && !session_.closed()) {
      pass_on();
      if (!session_.established() && !session_.closed()) session_.receive(answer(socket_));
    }
    pass_on();  // the proof
    return session_.established();
  }
  /// Why it was refused.
  std::string why() const { return message_of(session_.why()); }

  /// Says anything at all.
  void say(const Bytes& message) { testing::say(socket_, message); }
  /// Reads one message.
  std::string hear() { return answer(socket_); }
  /// Reads until it is told to go, and why.
  std::string hear_refusal() {
    for (;;) {
      const std::string message = hear();
      FrameReader frames(message);
      for (FrameView frame; frames.next(frame);) {
        if (frame.kind == FrameKind::refuse) return std::string(frame.payload);
      }
    }
  }

 private:
  static SessionConfig config(Server& server, const std::function<void(SessionConfig&)>& tune) {
    SessionConfig config;
    config.role = Role::connector;
    config.uid = {"traitor", make_uuid()};
    config.key = options_for("").key;
    config.nonce = random_nonce();
    config.dialed = server.directory.address().str();
    if (tune) tune(config);
    return config;
  }
  void pass_on() {
    while (session_.has_output()) {
      Bytes message(session_.batch_size(), '\0');
      session_.take_batch(message.data());
      say(message);
    }
  }
  void on_established() override {}
  DialogHandler* on_start(std::uint64_t, BytesView) override { return nullptr; }
  void on_session_closed(std::exception_ptr) override {}

  zmq::socket_t socket_;
  Session session_;
};

}  // namespace troupe::testing

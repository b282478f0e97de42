// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two sessions face to face, without sockets, for the tests of the protocol.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "troupe/ipc/session.h"

namespace troupe::testing {

inline Nonce test_nonce(char fill) {
  Nonce nonce;
  nonce.fill(fill);
  return nonce;
}

inline Key test_key(char fill) { return Key::from_bytes(Bytes(Key::size, fill)); }

inline Uid test_uid(const std::string& name, char digit) { return {name, std::string(32, digit)}; }

inline SessionConfig connector_config() {
  SessionConfig config;
  config.role = Role::connector;
  config.uid = test_uid("caller", 'c');
  config.build_id = "build-c";
  config.pid = 11;
  config.key = test_key('k');
  config.nonce = test_nonce('n');
  config.dialed = "ipc:///run/a";
  return config;
}

inline SessionConfig acceptor_config() {
  SessionConfig config;
  config.role = Role::acceptor;
  config.uid = test_uid("callee", 'a');
  config.address = "ipc:///run/a";
  config.build_id = "build-a";
  config.pid = 22;
  config.key = test_key('k');
  config.nonce = test_nonce('m');
  config.listens_at = [](const std::string& dialed) { return dialed == "ipc:///run/a"; };
  return config;
}

/// Records what one dialog is told.
struct RecordingHandler final : DialogHandler {
  void on_frame(FrameKind kind, BytesView payload) override {
    frames.emplace_back(kind, Bytes(payload));
  }
  void on_closed(std::exception_ptr why) override {
    ++closed;
    last_why = why;
  }

  std::vector<std::pair<FrameKind, Bytes>> frames;
  int closed = 0;
  std::exception_ptr last_why;
};

/// One end: a session and what it reports. Dialogs that the peer opens get a handler each.
struct End final : SessionEvents {
  explicit End(SessionConfig config) : session(std::move(config), *this) {}

  void on_established() override { ++established; }
  DialogHandler* on_start(std::uint64_t dialog, BytesView payload) override {
    starts.emplace_back(dialog, Bytes(payload));
    if (ignore_starts) return nullptr;
    auto& handler = handlers[dialog];
    handler = std::make_unique<RecordingHandler>();
    return handler.get();
  }
  void on_session_closed(std::exception_ptr why) override {
    ++closed;
    last_why = why;
  }

  /// Takes the next message out of the session.
  Bytes take() {
    Bytes message(session.batch_size(), '\0');
    session.take_batch(message.data());
    return message;
  }
  /// The message of the error that ended the session.
  std::string why() const { return text_of(last_why); }
  static std::string text_of(const std::exception_ptr& error) {
    if (error == nullptr) return {};
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& caught) {
      return caught.what();
    }
  }
  TransportClosed::Reason reason() const {
    try {
      std::rethrow_exception(last_why);
    } catch (const TransportClosed& caught) {
      return caught.reason();
    }
  }

  int established = 0;
  int closed = 0;
  bool ignore_starts = false;
  std::exception_ptr last_why;
  std::vector<std::pair<std::uint64_t, Bytes>> starts;
  std::map<std::uint64_t, std::unique_ptr<RecordingHandler>> handlers;
  Session session;
};

/// A connector and an acceptor.
struct Pair {
  explicit Pair(SessionConfig of_connector = connector_config(),
                SessionConfig of_acceptor = acceptor_config())
      : connector(std::move(of_connector)), acceptor(std::move(of_acceptor)) {}

  /// Carries messages until both are silent.
  void settle() {
    while (connector.session.has_output() || acceptor.session.has_output()) {
      if (connector.session.has_output()) acceptor.session.receive(connector.take());
      if (acceptor.session.has_output()) connector.session.receive(acceptor.take());
    }
  }

  End connector;
  End acceptor;
};

/// A pair that has shaken hands.
inline std::unique_ptr<Pair> established_pair() {
  auto pair = std::make_unique<Pair>();
  pair->settle();
  return pair;
}

}  // namespace troupe::testing

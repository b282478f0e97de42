// SPDX-License-Identifier: Apache-2.0
#pragma once

// The connecting end: one DEALER socket for one peer, and its monitor, which tells at once when
// nobody listens and when the connection is lost. A lost connection is never resumed. Private to
// the package.

#include <memory>
#include <string>
#include <zmq.hpp>

#include "troupe/ipc/address.h"
#include "troupe/ipc/dial.h"
#include "troupe/ipc/line.h"
#include "troupe/ipc/monitor.h"
#include "troupe/ipc/pump.h"
#include "troupe/ipc/read_pace.h"

namespace troupe {

/// A connection that we make.
class Channel final : public Pollable, public Link {
 public:
  /// Takes over what was begun.
  Channel(std::unique_ptr<Dial> dial, Pump& pump);
  ~Channel();

  /// Gives the channel its connection, which says hello. To be called in the turn that makes it.
  void start(std::shared_ptr<Connection> connection);

  const Address& address() const noexcept { return dial_->address; }
  const std::shared_ptr<Connection>& connection() const noexcept { return connection_; }
  /// Whether the connection is over and the channel of no more use.
  bool finished() const noexcept;
  /// Whether it failed for a reason that may pass: too many connect at once.
  bool may_retry() const noexcept { return may_retry_; }
  /// Takes part in nothing any more. To be called when the destructor will not be.
  void retire() noexcept;
  /// Ends an attempt that takes too long.
  void give_up(const std::string& how);

  bool drain() override;
  bool look() noexcept override;
  bool try_send(zmq::message_t& message) override;

  int waiters = 0;  ///< How many tasks wait for the handshake.

 private:
  void read_monitor();
  Reading read_messages();
  void check_pipe();
  void on_connect_failed();
  void retry_output() noexcept;

  std::unique_ptr<Dial> dial_;
  Pump& pump_;
  zmq::socket_t& socket_;
  Monitor monitor_;
  std::shared_ptr<Connection> connection_;
  ReadPace pace_;
  bool breaking_ = false;  // the connection broke; its last messages may still be on the way
  bool lost_ = false;      // they are in the pipe
  bool full_ = false;
  bool may_retry_ = false;
};

}  // namespace troupe

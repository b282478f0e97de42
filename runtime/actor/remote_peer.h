// SPDX-License-Identifier: Apache-2.0
#pragma once

// A peer in another process: its connection, and what is known of its end.

#include <memory>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/rpc/peer.h"

namespace troupe {

class Actor;
class Connection;

/// One incarnation of an actor elsewhere; one object per actor and uid.
class RemotePeer final : public Peer {
 public:
  /// `child` is null unless the peer is a child of this actor.
  RemotePeer(Actor& actor, Uid uid, Address address, std::shared_ptr<ChildLink> child);

  const Uid& uid() const noexcept override { return uid_; }
  const Address& address() const noexcept override { return address_; }
  std::shared_ptr<DialogPort> connect() override;
  bool connected() const noexcept override;
  std::exception_ptr explain(std::exception_ptr closed) override;
  bool cancel_actor(std::chrono::nanoseconds timeout) override;
  std::chrono::nanoseconds cancel_grace() const noexcept override;

  /// A connection to the peer stands, made by either side.
  void attach(std::shared_ptr<Connection> connection);
  /// A connection has ended.
  void detach(const Connection& connection);

 private:
  bool wait_for_end(std::chrono::nanoseconds timeout);

  Actor& actor_;
  Uid uid_;
  Address address_;
  std::shared_ptr<ChildLink> child_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Event> disconnected_;  // of the present connection
};

}  // namespace troupe

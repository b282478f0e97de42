// SPDX-License-Identifier: Apache-2.0
#pragma once

// A peer in another process: its connection, and what is known of its end.

#include <memory>
#include <optional>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/auth.h"
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
  /// `addresses`: where it listens, the nearest first. `child` is null unless the peer is a child
  /// of this actor.
  RemotePeer(Actor& actor, Uid uid, std::vector<Address> addresses,
             std::shared_ptr<ChildLink> child);

  const Uid& uid() const noexcept override { return uid_; }
  const Address& address() const noexcept override { return address_; }
  std::shared_ptr<DialogPort> connect() override;
  bool connected() const noexcept override;
  std::exception_ptr explain(std::exception_ptr closed) override;
  bool cancel_actor(std::chrono::nanoseconds timeout) override;
  std::chrono::nanoseconds cancel_grace() const noexcept override;

  /// The connection that stands; null when none does. Never waits.
  std::shared_ptr<Connection> connection() const noexcept {
    return connected() ? connection_ : nullptr;
  }
  /// Whether the connection is being ended in order, by either side. Never waits.
  bool is_leaving() const noexcept { return connection_ != nullptr && !connected(); }
  /// A connection to the peer stands, made by either side.
  void attach(std::shared_ptr<Connection> connection);
  /// A connection has ended.
  void detach(const Connection& connection);
  /// It is better known where the peer listens; there must be an address.
  void set_addresses(std::vector<Address> addresses);
  /// The peer belongs to another cluster, with this key.
  void use_key(const Key& key) { key_ = key; }

 private:
  void wait_if_child_is_leaving();
  void throw_if_child_has_ended() const;
  bool cancel_child(std::chrono::nanoseconds timeout);
  bool cancel_stranger(std::chrono::nanoseconds timeout);
  std::shared_ptr<Connection> connect_to(const Address& address);

  Actor& actor_;
  Uid uid_;
  std::vector<Address> addresses_;
  Address address_;  // the first of them
  std::optional<Key> key_;
  std::shared_ptr<ChildLink> child_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Event> disconnected_;  // of the present connection
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Another actor, as portals see it: who it is, and how to get a way for dialogs to it. The layer
// above implements it, because it knows which peers are child processes and what became of them;
// tests of dialogs implement it without sockets and processes.

#include <chrono>
#include <exception>
#include <memory>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"

namespace troupe {

class DialogPort;

/// One incarnation of another actor. Shared by all portals to it.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Who it is.
  virtual const Uid& uid() const noexcept = 0;
  /// Where it listens.
  virtual const Address& address() const noexcept = 0;
  /// The connection that stands, or a new one, as dialogs see it. Checkpoint. Throws what is known
  /// of the peer's end: `ActorDied`, `TransportClosed`.
  virtual std::shared_ptr<DialogPort> connect() = 0;
  /// Whether a connection stands. Never waits.
  virtual bool connected() const noexcept = 0;
  /// What a `TransportClosed` really means for this peer: of a child that died it becomes an
  /// `ActorDied`. Waits, shielded and bounded, until that is known.
  virtual std::exception_ptr explain(std::exception_ptr closed) = 0;
  /// Asks the actor to end and waits for its end, `timeout` at most; see `Portal::cancel_actor`.
  virtual bool cancel_actor(std::chrono::nanoseconds timeout) = 0;
  /// How long a cancelled call waits for the other side's answer.
  virtual std::chrono::nanoseconds cancel_grace() const noexcept = 0;
};

}  // namespace troupe

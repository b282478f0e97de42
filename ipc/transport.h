// SPDX-License-Identifier: Apache-2.0
#pragma once

// One actor's connections: it listens at addresses, connects to others, and carries the dialogs of
// both. It knows octets only; what they mean is the layer's above.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/auth.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/early_connection.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/uid.h"

namespace troupe {

/// What the layer above does with connections. Called on the loop, in the middle of reading: the
/// calls must neither wait nor throw, but may send, open and close dialogs.
class TransportHandler {
 public:
  /// A peer opens a dialog. Returns who handles it, or null when nothing more is to be heard of it.
  /// `payload` ends with the call.
  virtual DialogHandler* on_start(Connection& connection, std::uint64_t dialog,
                                  BytesView payload) = 0;
  /// A connection stands: of either direction, with a peer that has proved that it holds the key.
  virtual void on_connected(Connection& connection) = 0;
  /// A connection that stood has ended; its dialogs have been told before. `why` is a
  /// `TransportClosed`.
  virtual void on_disconnected(Connection& connection, std::exception_ptr why) = 0;

 protected:
  ~TransportHandler() = default;
};

/// Who the actor is, and what it demands of its peers.
struct TransportOptions {
  Uid uid;                    ///< Who we are.
  std::optional<Key> key;     ///< What peers must hold too; without one there are no connections.
  std::string build_id;       ///< Which program we run, for the peers' information.
  Limits limits;              ///< What a peer may make us hold.
  bool insecure_tcp = false;  ///< Whether addresses beyond this host may be used, unencrypted.
  TimeLimits times;           ///< How long it is waited for.
};

/// Throws `UsageError` when `address` is empty, or is tcp and reaches beyond this host,
/// unencrypted, and `insecure_tcp` does not allow that. Never waits.
void require_allowed(const Address& address, bool insecure_tcp);

/// Counts, for diagnosis.
struct TransportStatistics {
  std::size_t channels = 0;  ///< Connections that we made, or are making.
  std::size_t peers = 0;     ///< Connections that others made, proved or not.
};

/// The connections of one actor. Resource of one loop: made, used and destroyed in its tasks. Makes
/// no ZeroMQ context before `bind` or `connect`.
class Transport {
 public:
  /// Lifetime: `handler` must outlive the transport.
  Transport(TransportOptions options, TransportHandler& handler);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  /// Ends every connection that is left, with `TransportClosed` for each open dialog, and removes
  /// the sockets' files. For an end in order `leave` first.
  ~Transport();

  /// Listens at `address`; returns it with the real port where it had none. Never waits. Throws
  /// `TransportClosed` when it is in use or cannot be had, `UsageError` when it may not.
  Address bind(const Address& address);
  /// The same for an address that other programs may want at the same moment, as an arbiter's is:
  /// exactly one of them gets it, and the others `TransportClosed` with the reason `in_use`. Makes
  /// the folder of an `ipc` address when it is not there.
  Address bind_exclusively(const Address& address);
  /// Listens at `address` no more; also ends the connections that were made to it. Never waits.
  void unbind(const Address& address) noexcept;
  /// Listens nowhere any more, which ends every connection that others have made; `leave` first.
  /// Never waits.
  void stop_listening() noexcept;
  /// Where we listen.
  const std::vector<Address>& addresses() const noexcept;

  /// Has the next `connect` to its address go on with a connection that was begun. Never waits.
  /// Throws `UsageError` when that may not be reached.
  void adopt(EarlyConnection connection);
  /// Gets the connection to the actor that listens at `address`: an open one of either direction,
  /// or a new one. Checkpoint; takes `TimeLimits::handshake` at most. `serve` must be running.
  /// Throws `TransportClosed` when nobody answers, or nobody who holds the key: the actor's own, or
  /// `key` for an actor of another cluster.
  std::shared_ptr<Connection> connect(const Address& address, const Key* key = nullptr);
  /// The connections that stand.
  std::vector<std::shared_ptr<Connection>> connections() const;

  /// Carries all traffic until `stop`: the body of a task. Throws `UsageError` when it runs
  /// already.
  void serve();
  /// Ends `serve`, for good; `leave` first. Never waits.
  void stop() noexcept;

  /// Says bye on every connection and waits until all have ended. Checkpoint; bound it by a scope.
  void leave();

  /// Ends every connection that is left, as the destructor does, but leaves the sockets of those
  /// that we have made to the process' exit: to close them takes three threads. For a process that
  /// exits now. Never waits.
  void leave_sockets_to_exit() noexcept;

  TransportStatistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe

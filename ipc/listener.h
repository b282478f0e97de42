// SPDX-License-Identifier: Apache-2.0
#pragma once

// The accepting end: one ROUTER socket, bound to any number of addresses, for all peers that
// connect to us, from the moment when the first does. libzmq tells that a connection broke by its
// descriptor only, so each peer is tied to the descriptor its messages come from. Private to the
// package.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "troupe/ipc/address.h"
#include "troupe/ipc/address_claim.h"
#include "troupe/ipc/connection_slots.h"
#include "troupe/ipc/doors.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/line.h"
#include "troupe/ipc/monitor.h"
#include "troupe/ipc/pump.h"
#include "troupe/ipc/read_pace.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"

namespace troupe {

/// The connections that others make.
class Listener final : public Pollable {
 public:
  /// Makes the connection of a new peer over the link it is given.
  using Maker = UniqueFunction<std::shared_ptr<Connection>(Link&)>;

  Listener(std::shared_ptr<zmq::context_t> context, Pump& pump, Maker make_connection,
           const TimeLimits& times);
  ~Listener();

  /// Listens at one more address; see `Transport::bind` and `Transport::bind_exclusively`.
  Address bind(const Address& address);
  Address bind_exclusively(const Address& address);
  /// Takes a `bind` back.
  void unbind(const Address& address) noexcept;
  /// Where it listens.
  const std::vector<Address>& addresses() const noexcept { return addresses_; }
  /// Whether a peer that dialed `address` means us.
  bool listens_at(const std::string& address) const;

  /// Every connection, closed ones whose peers have not hung up yet too.
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const auto& [id, peer] : peers_) fn(peer->connection);
  }
  std::size_t peer_count() const noexcept { return peers_.size(); }

  bool drain() override;
  bool look() noexcept override;

 private:
  struct Peer final : Link {
    explicit Peer(Listener& owner) : listener(owner) {}
    bool try_send(zmq::message_t& message) override { return listener.send_to(*this, message); }

    Listener& listener;
    std::string id;
    std::shared_ptr<Connection> connection;
    int fd = -1;
    TimePoint since{};
    TimePoint in_doubt_until{};  // whether its connection stands; in the past: not in doubt
    bool gone = false;           // its connection broke, says the monitor or an attempt to send
    bool unlinked = false;  // and its pipe has ended: what is readable now is all there will be
    bool full = false;      // its pipe; flushed again when there may be room
  };

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept {
      return std::hash<std::string_view>{}(id);
    }
  };

  struct Router {
    explicit Router(Listener& owner);
    zmq::socket_t socket;
    EventSource events;
    Monitor monitor;
  };

  void check_free(const Address& address) const;
  void open_door(const Address& address);
  Address bind_tcp(const Address& address);
  Router& router();
  void answer_doors();
  void let_in(const Doors::Door& door);
  void read_monitor();
  Reading read_messages();
  void dispatch(std::string_view id, zmq::message_t& message);
  Peer* find_or_adopt(std::string_view id, zmq::message_t& message);
  Peer* adopt(std::string_view id, int fd);
  void expire_handshakes(Duration limit);
  void look_for_expired();
  void watch_handshakes();
  bool make_way();
  void bury_gone();
  bool unlink_gone() noexcept;
  void bury(Peer& peer);
  int probe(Peer& peer);
  void probe_unsure();
  void retry_output() noexcept;
  bool send_to(Peer& peer, zmq::message_t& message);
  int send_parts(Peer& peer, zmq::message_t& message);
  void mark_gone(Peer& peer);
  void doubt(Peer& peer);

  std::shared_ptr<zmq::context_t> context_;
  Pump& pump_;
  Maker make_connection_;
  TimeLimits times_;
  Doors doors_;
  std::optional<Router> router_;  // made when it is needed
  bool complained_ = false;
  ReadPace pace_;
  std::vector<Address> addresses_;
  std::map<Address, AddressClaim> claims_;  // of addresses that others want, too
  std::unordered_map<std::string, std::unique_ptr<Peer>, Hash, std::equal_to<>> peers_;
  ConnectionSlots<Peer> slots_;
  std::vector<Peer*> gone_;
  std::vector<Peer*> unsure_;  // whose connections may have broken
  TimePoint probe_at_{};       // when they are asked again, at the earliest
  std::vector<Peer*> full_;
  std::vector<std::string> young_;  // ids of peers whose handshake was not seen to end
  struct Expiry : DeadlineEntry {
    Listener* listener;
  } expiry_{};  // of the first of them, or earlier
  bool expiry_due_ = false;
};

}  // namespace troupe

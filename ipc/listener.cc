// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/listener.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/probe.h"
#include "troupe/ipc/zmq_socket.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

namespace {

using Reason = TransportClosed::Reason;

// Peers whose handshake is under way. Of more those have to go that take much longer than others.
constexpr std::size_t max_handshakes = 1024;
constexpr std::chrono::seconds usual_handshake{1};
// When a connection broke, libzmq marks its pipe within microseconds of telling the monitor.
constexpr std::chrono::seconds sure_after{1};
// A probe is a message to the peer, if it lives: too much for each turn.
constexpr std::chrono::milliseconds probe_pause{10};
// A peer's host that vanishes between its first words and its first ZMTP heartbeat, which bounds
// its silence from then on, is missed by the kernel. (That asks the other kernel: a peer that is
// stopped is not taken for dead.)
constexpr int keepalive_probes = 3;

zmq::socket_t make_router(zmq::context_t& context, const TimeLimits& times) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(times.liveness / keepalive_probes);
  const int keepalive_s = static_cast<int>(seconds.count());
  zmq::socket_t socket = make_socket(context, zmq::socket_type::router);
  limit_socket(socket, times.handshake);
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::backlog, accept_backlog);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, keepalive_s);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, keepalive_s);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, keepalive_probes);
  return socket;
}

// libzmq takes no names of hosts for binding.
std::string bindable(const Address& address) {
  if (address.host() != "localhost") return address.str();
  return "tcp://127.0.0.1:" + std::to_string(address.port());
}

[[noreturn]] void fail_to_bind(const Address& address, Reason reason, const std::string& why) {
  throw TransportClosed(reason, "cannot listen at " + address.str() + ": " + why);
}

[[noreturn]] void fail_to_bind(const Address& address, int error) {
  if (error == EADDRINUSE) {
    fail_to_bind(address, Reason::in_use,
                 "the address is already in use: another program listens there; choose another "
                 "one");
  }
  fail_to_bind(address, Reason::unreachable,
               std::string(zmq_strerror(error)) + "; check that the directory or host exists");
}

// While it lives, what is bound is between hosts.
class ManyMessages {
 public:
  explicit ManyMessages(zmq::socket_t& socket) : socket_(socket) { hold_many_messages(socket_); }
  ManyMessages(const ManyMessages&) = delete;
  ManyMessages& operator=(const ManyMessages&) = delete;
  ~ManyMessages() { hold_few_messages(socket_); }

 private:
  zmq::socket_t& socket_;
};

bool means(const Address& bound, const Address& dialed) {
  if (bound == dialed) return true;
  if (bound.kind() != Address::Kind::tcp || dialed.kind() != Address::Kind::tcp) return false;
  if (bound.port() != dialed.port()) return false;
  // A host has many names; which of them lead here is not for us to know when all are listened at.
  return bound.is_wildcard() || bound.host() == dialed.host() ||
         (bound.is_local() && dialed.is_local());
}

}  // namespace

Listener::Listener(std::shared_ptr<zmq::context_t> context, Pump& pump, Maker make_connection,
                   const TimeLimits& times)
    : context_(std::move(context)),
      pump_(pump),
      make_connection_(std::move(make_connection)),
      times_(times),
      doors_(pump, *this) {
  expiry_.listener = this;
  expiry_.fire = [](DeadlineEntry& entry) noexcept {
    Listener& listener = *static_cast<Expiry&>(entry).listener;
    listener.expiry_due_ = true;
    listener.pump_.mark_ready(listener);
  };
}

Listener::~Listener() {
  if (expiry_.queued()) Loop::current().deadlines().remove(expiry_);
  // Late connectors are to find nothing at once, and libzmq would leave the files.
  for (const Address& address : addresses_) {
    if (address.kind() == Address::Kind::ipc) ::unlink(address.path().c_str());
  }
  if (router_) pump_.remove(router_->socket.get(zmq::sockopt::fd));
  for (const auto& [id, peer] : peers_) peer->connection->line().detach();
}

void Listener::check_free(const Address& address) const {
  const Fault fault = why_not_bindable(address);
  if (fault.text.empty()) return;
  fail_to_bind(address, fault.in_use ? Reason::in_use : Reason::unreachable, fault.text);
}

// A file that is there mostly was left behind; whether it was is asked only then.
void Listener::open_door(const Address& address) {
  int error = doors_.open(address);
  if (error == EADDRINUSE) {
    check_free(address);
    ::unlink(address.path().c_str());
    error = doors_.open(address);
  }
  if (error != 0) fail_to_bind(address, error);
}

Address Listener::bind(const Address& address) {
  if (address.kind() == Address::Kind::ipc) {
    open_door(address);
    addresses_.push_back(address);
  } else {
    addresses_.push_back(bind_tcp(address));
  }
  return addresses_.back();
}

Address Listener::bind_tcp(const Address& address) {
  zmq::socket_t& socket = router().socket;
  try {
    if (address.host().find(':') != std::string::npos) socket.set(zmq::sockopt::ipv6, true);
    const ManyMessages many(socket);
    socket.bind(bindable(address));
    return Address::parse(socket.get(zmq::sockopt::last_endpoint));
  } catch (const zmq::error_t& error) {
    fail_to_bind(address, error.num());
  }
}

Address Listener::bind_exclusively(const Address& address) {
  if (address.kind() != Address::Kind::ipc) return bind(address);
  std::optional<AddressClaim> claim = AddressClaim::try_take(address);
  if (!claim) fail_to_bind(address, EADDRINUSE);
  const Address bound = bind(address);
  claims_.emplace(bound, *std::move(claim));
  return bound;
}

void Listener::unbind(const Address& address) noexcept {
  if (std::erase(addresses_, address) == 0) return;
  if (!doors_.close(address)) zmq_unbind(router_->socket.handle(), address.str().c_str());
  if (address.kind() == Address::Kind::ipc) ::unlink(address.path().c_str());
  claims_.erase(address);
  if (!router_) return;
  // libzmq ends the connections that were made there, and tells nobody.
  for (const auto& [id, peer] : peers_) doubt(*peer);
  pump_.mark_ready(*this);
}

bool Listener::listens_at(const std::string& address) const {
  const Address dialed = Address::parse(address);
  for (const Address& bound : addresses_) {
    if (means(bound, dialed)) return true;
  }
  return false;
}

// ---- The ROUTER ----

Listener::Router::Router(Listener& owner)
    : socket(make_router(*owner.context_, owner.times_)),
      events(*owner.context_, socket, ZMQ_EVENT_DISCONNECTED),
      monitor(events, owner.pump_, owner) {
  owner.pump_.add(socket.get(zmq::sockopt::fd), owner);
}

Listener::Router& Listener::router() {
  if (!router_) router_.emplace(*this);
  return *router_;
}

// Without descriptors for a ROUTER whoever knocks has to wait until there are some.
void Listener::answer_doors() {
  try {
    while (const Doors::Door* door = doors_.due()) let_in(*door);
  } catch (const std::exception& error) {
    if (!std::exchange(complained_, true)) {
      log_message(LogLevel::error, "ipc",
                  "nobody can connect at " + addresses_.front().str() + ": " + error.what());
    }
    pump_.check_soon(*this);
  }
}

void Listener::let_in(const Doors::Door& door) {
  zmq::socket_t& socket = router().socket;
  socket.set(zmq::sockopt::use_fd, door.fd.get());
  socket.bind(door.address.str());
  doors_.hand_over(door);
  socket.set(zmq::sockopt::use_fd, -1);  // for the next address
}

// ---- Incoming ----

bool Listener::drain() {
  answer_doors();
  if (!router_) return false;
  if (router_->monitor.signalled()) read_monitor();
  const Reading reading = read_messages();
  if (reading == Reading::empty) {
    bury_gone();
    if (expiry_due_) look_for_expired();
  } else if (expiry_due_) {
    pump_.check_soon(*this);
  }
  retry_output();
  if (!unsure_.empty()) probe_unsure();
  return reading == Reading::more;
}

void Listener::read_monitor() {
  for (Monitor::Event event; router_->monitor.next(event);) {
    const std::vector<Peer*> candidates = slots_.broken(event.value);
    if (candidates.size() == 1) {
      mark_gone(*candidates.front());
    } else {
      for (Peer* peer : candidates) doubt(*peer);
    }
  }
}

Reading Listener::read_messages() {
  zmq::message_t id;
  zmq::message_t message;
  std::size_t octets = 0;
  for (int i = 0; i < messages_per_turn && octets < octets_per_turn; ++i) {
    if (!try_receive(router_->socket, id)) {
      pace_.emptied(i);
      return Reading::empty;
    }
    // The parts of a message come together or not at all.
    if (!id.more() || !try_receive(router_->socket, message)) continue;
    octets += message.size();
    dispatch({static_cast<const char*>(id.data()), id.size()}, message);
    if (!gone_.empty() || !pace_.rest()) continue;
    pump_.mark_touched(*this);
    return Reading::resting;
  }
  return Reading::more;
}

void Listener::dispatch(std::string_view id, zmq::message_t& message) {
  Peer* peer = find_or_adopt(id, message);
  if (!message.more()) {
    if (peer != nullptr) peer->connection->line().receive(octets_of(message));
    return;
  }
  drop_rest(router_->socket, message);
  if (peer != nullptr) peer->connection->line().session().reject("a message in several parts");
}

Listener::Peer* Listener::find_or_adopt(std::string_view id, zmq::message_t& message) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) return found->second.get();
  return adopt(id, zmq_msg_get(message.handle(), ZMQ_SRCFD));
}

Listener::Peer* Listener::adopt(std::string_view id, int fd) {
  if (young_.size() >= max_handshakes && !make_way()) return nullptr;
  read_monitor();  // the end of whoever had its descriptor before has been told by now
  auto owned = std::make_unique<Peer>(*this);
  Peer& peer = *owned;
  peer.id = id;
  peer.fd = fd;
  peer.since = current_time();
  peer.connection = make_connection_(peer);
  const std::optional<PeerCredentials> credentials = credentials_of(fd);
  peer.connection->set_credentials(credentials);
  if (!credentials) peer.connection->line().session().limit_unread();  // it may be another host's
  peers_.emplace(peer.id, std::move(owned));
  young_.push_back(peer.id);
  watch_handshakes();
  if (slots_.tie(fd, peer)) doubt(peer);
  return &peer;
}

// Gives up those whose handshakes take longer than `limit`, and forgets those that are through.
void Listener::expire_handshakes(Duration limit) {
  const TimePoint now = current_time();
  std::erase_if(young_, [&](const std::string& id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return true;
    Session& session = found->second->connection->line().session();
    if (session.established() || session.closed()) return true;
    if (now - found->second->since < limit) return false;
    session.reject("the handshake was not finished in time");
    return true;
  });
}

// Only when everything has been read: what finishes a handshake may have waited for this loop.
void Listener::look_for_expired() {
  expiry_due_ = false;
  expire_handshakes(times_.handshake);
  watch_handshakes();
}

void Listener::watch_handshakes() {
  if (young_.empty() || expiry_.queued()) return;
  const auto first = peers_.find(young_.front());
  const TimePoint since = first == peers_.end() ? current_time() : first->second->since;
  Loop::current().deadlines().add(expiry_, detail::saturating_add(since, times_.handshake));
}

// Returns whether one more may begin its handshake. The first one goes for it, if that takes longer
// than usual: one for one, as what finishes the others may not have been read yet.
bool Listener::make_way() {
  expire_handshakes(Duration::max());
  if (young_.size() < max_handshakes) return true;
  const Peer& first = *peers_.find(young_.front())->second;
  if (current_time() - first.since < usual_handshake) return false;
  first.connection->line().session().reject("others wait, and the handshake takes too long");
  young_.erase(young_.begin());
  return true;
}

// ---- Broken connections ----

void Listener::mark_gone(Peer& peer) {
  if (std::exchange(peer.gone, true)) return;
  gone_.push_back(&peer);
  pump_.mark_ready(*this);
}

// Called when everything readable has been read. The monitor may tell of the end a moment before
// the last messages get into the pipe, so a peer is buried when its pipe has ended and was read
// after that: its last words have been heard then.
void Listener::bury_gone() {
  for (Peer* peer : std::exchange(gone_, {})) {
    if (peer->unlinked) {
      bury(*peer);
    } else {
      gone_.push_back(peer);
    }
  }
  if (!gone_.empty()) pump_.mark_touched(*this);
}

// Returns whether a pipe has ended since. If not, its end comes with an edge, unless something has
// swallowed that.
bool Listener::unlink_gone() noexcept {
  bool unlinked = false;
  for (Peer* peer : gone_) {
    if (!peer->unlinked) peer->unlinked = probe(*peer) == EHOSTUNREACH;
    unlinked |= peer->unlinked;
  }
  if (!unlinked) pump_.check_soon(*this);
  return unlinked;
}

void Listener::bury(Peer& peer) {
  Session& session = peer.connection->line().session();
  session.disconnected(Reason::lost, "the connection from " + session.peer_text() +
                                         " was lost: it has died, or closed without a word");
  peer.connection->line().detach();
  slots_.untie(peer.fd, peer);
  std::erase(unsure_, &peer);
  std::erase(full_, &peer);
  const std::string id = peer.id;
  peers_.erase(id);
}

// A message without frames says nothing to a peer that lives, and fails when there is none.
int Listener::probe(Peer& peer) {
  zmq::message_t nothing;
  return send_parts(peer, nothing);
}

void Listener::doubt(Peer& peer) {
  if (std::ranges::find(unsure_, &peer) == unsure_.end()) unsure_.push_back(&peer);
  peer.in_doubt_until = current_time() + sure_after;
}

void Listener::probe_unsure() {
  const TimePoint now = current_time();
  if (now < probe_at_) return pump_.check_soon(*this);
  probe_at_ = now + probe_pause;
  std::erase_if(unsure_, [&](Peer* peer) {
    if (!peer->gone && probe(*peer) == EHOSTUNREACH) mark_gone(*peer);
    return peer->gone || now > peer->in_doubt_until;
  });
  pump_.mark_touched(*this);
}

// ---- Outgoing ----

bool Listener::look() noexcept {
  const bool readable = (look_at(router_->socket) & ZMQ_POLLIN) != 0;
  pace_.looked(readable);
  if (!gone_.empty() && unlink_gone()) return true;
  if (!full_.empty()) pump_.check_soon(*this);
  return readable;
}

void Listener::retry_output() noexcept {
  if (full_.empty()) return;
  for (Peer* peer : std::exchange(full_, {})) {
    peer->full = false;
    peer->connection->line().flush();
  }
}

// Whether one pipe has room cannot be asked without sending, and sending may swallow an edge for
// reading, as asking for that may swallow one for writing. So a full pipe is tried again soon, too.
bool Listener::send_to(Peer& peer, zmq::message_t& message) {
  if (peer.gone) return false;
  int error = send_parts(peer, message);
  if (error == EAGAIN) {
    // The room may have come with a command that nobody has processed yet.
    if ((look_at(router_->socket) & ZMQ_POLLIN) != 0) pump_.mark_ready(*this);
    error = send_parts(peer, message);
  }
  if (error == EAGAIN) {
    peer.full = true;
    full_.push_back(&peer);
    pump_.check_soon(*this);
  } else if (error != 0) {
    mark_gone(peer);
  }
  pump_.mark_touched(*this);
  return error == 0;
}

// Sends a message whole or not at all; returns the error, 0 for none.
int Listener::send_parts(Peer& peer, zmq::message_t& message) {
  if (zmq_send(router_->socket.handle(), peer.id.data(), peer.id.size(),
               ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
    return zmq_errno() == EINTR ? EAGAIN : zmq_errno();
  }
  // Once begun it must be finished, or what follows would become parts of it.
  while (zmq_msg_send(message.handle(), router_->socket.handle(), ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() != EINTR) return zmq_errno();
  }
  return 0;
}

}  // namespace troupe

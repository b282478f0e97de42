// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/transport.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "troupe/ipc/channel.h"
#include "troupe/ipc/listener.h"
#include "troupe/ipc/loopback.h"
#include "troupe/ipc/pump.h"
#include "troupe/ipc/zmq_socket.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

namespace {

using Reason = TransportClosed::Reason;
constexpr std::chrono::milliseconds first_retry{5};
constexpr std::chrono::milliseconds longest_retry{200};

std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() % 1000 / 100) +
         " s";
}

// Whether the peer holds that key: whoever holds another one may claim any name and address.
bool holds(const Connection& connection, const std::optional<Key>& key) {
  return connection.line().session().key() == key;
}

}  // namespace

class Transport::Impl {
 public:
  Impl(TransportOptions options, TransportHandler& handler)
      : options_(std::move(options)), handler_(handler), dialer_(options_.times) {}
  ~Impl() { close_all(); }

  Listener& listener(const Address& address);
  void adopt(std::unique_ptr<Dial> early);
  std::shared_ptr<Connection> connect(const Address& address, const Key* key);
  void serve();
  void stop() noexcept { pump_.stop(); }
  void leave_sockets_to_exit() noexcept;
  void leave();

  /// Every connection, of both directions; some may be closed.
  std::vector<std::shared_ptr<Connection>> everyone() const;
  std::shared_ptr<Connection> find_open(const Address& address,
                                        const std::optional<Key>& key) const;
  std::shared_ptr<Connection> connect_to_self();
  void unbind(const Address& address) noexcept {
    if (listener_ != nullptr) listener_->unbind(address);
  }
  void stop_listening() noexcept;

  const std::vector<Address>& addresses() const noexcept {
    static const std::vector<Address> none;
    return listener_ == nullptr ? none : listener_->addresses();
  }
  TransportStatistics statistics() const {
    return {channels_.size(), listener_ == nullptr ? 0 : listener_->peer_count()};
  }

 private:
  SessionConfig session_config(Role role) const;
  std::shared_ptr<Connection> make_connection(SessionConfig config, Link& link);
  std::shared_ptr<Channel> channel_to(const Address& address, const std::optional<Key>& key);
  void await_handshake(Channel& channel, TimePoint deadline);
  void drop_finished();
  void end_sessions() noexcept;
  void close_all() noexcept;

  TransportOptions options_;
  TransportHandler& handler_;
  std::shared_ptr<zmq::context_t> context_;  // released after every socket
  Pump pump_;
  std::unique_ptr<Listener> listener_;
  Dialer dialer_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::unique_ptr<Loopback> loopback_;
  bool serving_ = false;
};

// ---- Addresses ----

void require_allowed(const Address& address, bool insecure_tcp) {
  if (address.empty()) throw UsageError("an empty address; give one as Address::parse makes it");
  if (address.is_local() || insecure_tcp) return;
  throw UsageError(address.str() +
                   " reaches beyond this host, where anyone may read what is sent and change it: "
                   "troupe proves who its peers are, but does not encrypt. Use a tunnel to "
                   "127.0.0.1, or set insecure_tcp = true where the network is trusted");
}

// The listener that may listen at `address`.
Listener& Transport::Impl::listener(const Address& address) {
  require_allowed(address, options_.insecure_tcp);
  if (context_ == nullptr) context_ = shared_context();
  if (listener_ == nullptr) {
    const auto make = [this](Link& link) {
      SessionConfig config = session_config(Role::acceptor);
      config.listens_at = [this](const std::string& text) { return listener_->listens_at(text); };
      return make_connection(std::move(config), link);
    };
    listener_ = std::make_unique<Listener>(context_, pump_, make, options_.times);
  }
  return *listener_;
}

void Transport::Impl::stop_listening() noexcept {
  if (listener_ == nullptr) return;
  listener_->for_each([](const std::shared_ptr<Connection>& connection) {
    Session& session = connection->line().session();
    session.disconnected(Reason::shut_down, "the connection to " + session.peer_text() +
                                                " was closed: this actor listens no more");
  });
  listener_.reset();
}

SessionConfig Transport::Impl::session_config(Role role) const {
  SessionConfig config;
  config.role = role;
  config.uid = options_.uid;
  config.build_id = options_.build_id;
  config.pid = static_cast<std::uint32_t>(::getpid());
  config.key = options_.key;
  config.nonce = random_nonce();
  config.limits = options_.limits;
  const auto& bound = addresses();
  const auto own = std::ranges::find_if(bound, [](const Address& a) { return !a.is_wildcard(); });
  if (own != bound.end()) config.address = own->str();
  return config;
}

std::shared_ptr<Connection> Transport::Impl::make_connection(SessionConfig config, Link& link) {
  return std::make_shared<Connection>(
      std::make_unique<detail::Line>(std::move(config), link, pump_, handler_));
}

// ---- Connecting ----

std::vector<std::shared_ptr<Connection>> Transport::Impl::everyone() const {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& channel : channels_) all.push_back(channel->connection());
  if (listener_ != nullptr) {
    listener_->for_each([&](const auto& connection) { all.push_back(connection); });
  }
  if (loopback_ != nullptr) all.push_back(loopback_->connection());
  return all;
}

std::shared_ptr<Connection> Transport::Impl::find_open(const Address& address,
                                                       const std::optional<Key>& key) const {
  // An address that means this host is the peer's own only if it is on this host.
  const auto listens_there = [&](const Connection& connection, bool is_local) {
    return connection.open() && holds(connection, key) && (is_local || !address.is_local()) &&
           connection.line().session().peer().address == address.str();
  };
  for (const auto& channel : channels_) {
    const auto& connection = channel->connection();
    if (listens_there(*connection, channel->address().is_local())) return connection;
    if (channel->address() == address && connection->open() && holds(*connection, key))
      return connection;
  }
  std::shared_ptr<Connection> found;
  if (listener_ != nullptr) {
    listener_->for_each([&](const auto& connection) {
      if (listens_there(*connection, connection->credentials().has_value())) found = connection;
    });
  }
  return found;
}

std::shared_ptr<Connection> Transport::Impl::connect_to_self() {
  if (loopback_ == nullptr || loopback_->connection()->why() != nullptr) {
    const auto make_config = [this](Role role) {
      SessionConfig config = session_config(role);
      config.dialed = "loopback";
      config.listens_at = [](const std::string&) { return true; };
      return config;
    };
    loopback_ = std::make_unique<Loopback>(make_config, pump_, handler_);
  }
  const std::shared_ptr<Connection> connection = loopback_->connection();
  connection->line().settled.wait();
  if (connection->why() != nullptr) std::rethrow_exception(connection->why());
  return connection;
}

void Transport::Impl::adopt(std::unique_ptr<Dial> early) {
  require_allowed(early->address, options_.insecure_tcp);
  dialer_.adopt(std::move(early));
}

// The attempt that is under way, or a new one.
std::shared_ptr<Channel> Transport::Impl::channel_to(const Address& address,
                                                     const std::optional<Key>& key) {
  for (const auto& channel : channels_) {
    const auto& connection = channel->connection();
    if (channel->address() == address && !connection->line().settled.is_set() &&
        holds(*connection, key)) {
      return channel;
    }
  }
  std::unique_ptr<Dial> dial = dialer_.begin(address);
  if (context_ == nullptr) context_ = dial->context;
  auto channel = std::make_shared<Channel>(std::move(dial), pump_);
  SessionConfig config = session_config(Role::connector);
  config.dialed = address.str();
  config.key = key;
  std::shared_ptr<Connection> connection = make_connection(std::move(config), *channel);
  if (address.kind() == Address::Kind::tcp) connection->line().session().limit_unread();
  channel->start(std::move(connection));
  channels_.push_back(channel);
  return channel;
}

void Transport::Impl::await_handshake(Channel& channel, TimePoint deadline) {
  struct Waiting {
    explicit Waiting(Channel& of) : channel(of) { ++channel.waiters; }
    ~Waiting() {
      // Nobody wants it any more; without effect once the handshake is over.
      if (--channel.waiters == 0 && !channel.connection()->line().settled.is_set()) {
        channel.connection()->say_bye();
      }
    }
    Channel& channel;
  } waiting(channel);
  detail::Line& line = channel.connection()->line();
  if (move_on_at(deadline, [&] { line.settled.wait(); }) || line.settled.is_set()) return;
  channel.give_up("no connection to " + channel.address().str() + ": nobody answered within " +
                  seconds_text(options_.times.handshake) +
                  "; check that a troupe actor listens there and is not stopped");
}

std::shared_ptr<Connection> Transport::Impl::connect(const Address& address, const Key* its_key) {
  require_allowed(address, options_.insecure_tcp);
  if (address.is_wildcard()) {
    throw UsageError(address.str() + " can be listened at, but not connected to; name the host");
  }
  if (std::ranges::find(addresses(), address) != addresses().end()) return connect_to_self();
  const std::optional<Key> key = its_key != nullptr ? std::optional(*its_key) : options_.key;
  if (auto open = find_open(address, key)) return open;
  const TimePoint deadline = current_time() + options_.times.handshake;
  for (auto pause = first_retry;; pause = std::min(2 * pause, longest_retry)) {
    const std::shared_ptr<Channel> channel = channel_to(address, key);
    dialer_.prepare();
    await_handshake(*channel, deadline);
    const std::exception_ptr why = channel->connection()->why();
    if (why == nullptr) return channel->connection();
    if (!channel->may_retry() || current_time() + pause > deadline) std::rethrow_exception(why);
    sleep(pause);
  }
}

// ---- Serving and leaving ----

void Transport::Impl::serve() {
  if (serving_) throw UsageError("serve runs already: one task a transport");
  struct Serving {
    explicit Serving(bool& flag) : serving(flag) { serving = true; }
    ~Serving() { serving = false; }
    bool& serving;
  } serving(serving_);
  pump_.run([this] { drop_finished(); });
}

void Transport::Impl::drop_finished() {
  // What waits for a channel holds it, so that only the table lets go of it here.
  std::erase_if(channels_, [](const std::shared_ptr<Channel>& channel) {
    if (!channel->finished()) return false;
    channel->connection()->line().flush();
    return true;
  });
}

void Transport::Impl::leave() {
  const auto all = everyone();
  for (const auto& connection : all) connection->say_bye();
  for (const auto& connection : all) {
    if (!connection->line().session().closed()) connection->wait_closed();
  }
}

void Transport::Impl::end_sessions() noexcept {
  for (const auto& connection : everyone()) {
    Session& session = connection->line().session();
    session.disconnected(Reason::shut_down, "the connection to " + session.peer_text() +
                                                " was closed: this actor has shut down");
  }
}

void Transport::Impl::leave_sockets_to_exit() noexcept {
  struct Kept {
    std::vector<std::shared_ptr<Channel>> channels;
    std::unique_ptr<Dial> spare;
  };
  static auto* const kept = new Kept;
  end_sessions();
  for (const auto& channel : channels_) channel->retire();
  *kept = {std::exchange(channels_, {}), dialer_.take_spare()};
}

void Transport::Impl::close_all() noexcept {
  end_sessions();
  channels_.clear();
  listener_.reset();
  loopback_.reset();
}

// ---- The public face ----

Transport::Transport(TransportOptions options, TransportHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

Transport::~Transport() = default;

Address Transport::bind(const Address& address) { return impl_->listener(address).bind(address); }

Address Transport::bind_exclusively(const Address& address) {
  return impl_->listener(address).bind_exclusively(address);
}

void Transport::unbind(const Address& address) noexcept { impl_->unbind(address); }

void Transport::stop_listening() noexcept { impl_->stop_listening(); }

const std::vector<Address>& Transport::addresses() const noexcept { return impl_->addresses(); }

void Transport::adopt(EarlyConnection connection) { impl_->adopt(std::move(connection).take()); }

std::shared_ptr<Connection> Transport::connect(const Address& address, const Key* key) {
  return impl_->connect(address, key);
}

std::vector<std::shared_ptr<Connection>> Transport::connections() const {
  auto all = impl_->everyone();
  std::erase_if(all, [](const auto& connection) { return !connection->open(); });
  return all;
}

void Transport::serve() { impl_->serve(); }

void Transport::stop() noexcept { impl_->stop(); }

void Transport::leave() { impl_->leave(); }

void Transport::leave_sockets_to_exit() noexcept { impl_->leave_sockets_to_exit(); }

TransportStatistics Transport::statistics() const { return impl_->statistics(); }

}  // namespace troupe

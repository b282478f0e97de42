// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/actor.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/key_file.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/glog_console.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/file_limit.h"
#include "troupe/spawn/forkserver.h"

namespace troupe {
namespace {

// A process is one actor: the place where the free functions of the API find it.
Actor* this_process = nullptr;

constexpr auto leave_limit = std::chrono::seconds(1);

bool left_in_order(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const TransportClosed& closed) {
    return closed.reason() == TransportClosed::Reason::left;
  }
}

}  // namespace

Actor* Actor::try_current() noexcept { return this_process; }

Actor& Actor::current() {
  if (this_process == nullptr) {
    throw UsageError("there is no actor runtime here: call this from inside of troupe::run");
  }
  return *this_process;
}

Actor& Actor::booted() {
  Actor& actor = current();
  actor.boot();
  return actor;
}

Actor::Actor(ActorConfig config, TaskNursery& runtime, TaskNursery& calls)
    : config_(std::move(config)),
      statespace_(config_.uid.name, std::exchange(config_.statespace, {})),
      runtime_(runtime),
      calls_(calls) {
  if (this_process != nullptr) {
    throw UsageError("this process is the actor '" + this_process->uid().name +
                     "' already; open one root actor at a time");
  }
  this_process = this;
  set_log_actor(config_.uid.name);
  set_log_console(&write_log_by_glog);
}

Actor::~Actor() {
  set_log_actor({});
  this_process = nullptr;
}

void Actor::boot() {
  if (std::exchange(booting_, true)) {
    boot_ended_.wait();
    if (boot_error_) std::rethrow_exception(boot_error_);
    return;
  }
  try {
    raise_file_limit();
    if (config_.run_directory.empty()) config_.run_directory = run_directory_.emplace().path();
    if (!config_.key) config_.key = leave_fresh_key(config_.run_directory);
    dispatcher_ = std::make_unique<Dispatcher>(uid(), calls_, config_.cancel_grace);
    TransportOptions transport{};
    transport.uid = uid();
    transport.key = config_.key;
    transport.insecure_tcp = config_.insecure_tcp;
    transport.times = config_.times;
    transport_ = std::make_unique<Transport>(std::move(transport), *this);
    if (config_.towards_parent) transport_->adopt(*std::move(config_.towards_parent));
    runtime_.start_soon("transport", [this] { transport_->serve(); });
    bind_all();
    expose_all();
    directory_ = config_.directory(*this);
    directory_->announce(entry());
    log_line(LogLevel::runtime, "actor", "serves at ", address().str());
  } catch (...) {
    boot_error_ = std::current_exception();
    boot_ended_.set();
    throw;
  }
  boot_ended_.set();
}

void Actor::bind_all() {
  default_addresses_ = config_.bind.empty();
  if (default_addresses_) config_.bind.push_back(child_address(uid().uuid));
  for (const Address& address : config_.bind) {
    if (owns(address)) {
      addresses_.push_back(transport_->bind(address));
    } else if (!is_for_arbiter(address)) {
      listen_at(address);
    }
  }
}

bool Actor::is_for_arbiter(const Address& address) const {
  return std::find(config_.registry.begin(), config_.registry.end(), address) !=
         config_.registry.end();
}

bool Actor::owns(const Address& address) const {
  return address.path().starts_with(config_.run_directory + "/");
}

Address Actor::listen_at(const Address& address) {
  addresses_.push_back(transport_->bind_exclusively(address));
  return addresses_.back();
}

void Actor::put_first(const Address& address) {
  const auto found = std::find(addresses_.begin(), addresses_.end(), address);
  if (found != addresses_.end()) std::rotate(addresses_.begin(), found, found + 1);
}

void Actor::unlisten(const Address& address) noexcept {
  transport_->unbind(address);
  std::erase(addresses_, address);
}

void Actor::listen_publicly(const std::string& host) {
  listen_at(Address::tcp(host, 0));
  set_public_host(host);
}

void Actor::set_public_host(const std::string& host) { config_.public_host = host; }

DirectoryEntry Actor::entry() const {
  DirectoryEntry entry{uid(), {}, this_host(), {}};
  if (config_.parent) entry.parent = config_.parent->uuid;
  for (const Address& bound : addresses_) {
    for (Address& address : connectable(bound)) entry.addresses.push_back(std::move(address));
  }
  return entry;
}

void Actor::expose_all() {
  dispatcher_->expose(detail::runtime_module());
  for (const Module& module : config_.modules) {
    const Module known = module.is_reference() ? Module::find(std::string(module.name())) : module;
    if (known.is_reference()) {
      throw UsageError("there is no module '" + std::string(module.name()) +
                       "' in this program; link the library that defines it (alwayslink = True), "
                       "or correct the name in enable_modules");
    }
    dispatcher_->expose(known);
  }
  for (const FunctionName& name : config_.functions) {
    const FunctionEntry* function = FunctionTable::instance().find(name);
    if (function == nullptr) {
      throw UsageError("there is no function " + name.key + " in this program");
    }
    dispatcher_->expose(*function);
  }
}

void Actor::shut_down() noexcept {
  if (!transport_) return;
  CancelScope shield({.shield = true});
  try {
    shield.run([&] {
      move_on_after(leave_limit, [&] {
        if (directory_) directory_->retract(uid());
        transport_->leave();
      });
    });
  } catch (const std::exception&) {  // whom we leave may be gone already
  }
  transport_->stop();
}

void Actor::leave_sockets_to_exit() noexcept {
  if (transport_) transport_->leave_sockets_to_exit();
}

bool Actor::is_family(const Uid& uid) const {
  return children_.contains(uid.uuid) || (config_.parent && *config_.parent == uid);
}

void Actor::stop_serving() noexcept {
  if (!transport_) return;
  CancelScope shield({.shield = true});
  try {
    shield.run([&] {
      move_on_after(leave_limit, [&] {
        if (directory_) directory_->retract(uid());
        std::vector<std::shared_ptr<Connection>> others = transport_->connections();
        std::erase_if(others, [&](const auto& other) { return is_family(other->peer()); });
        for (const auto& connection : others) connection->say_bye();
        for (const auto& connection : others) connection->wait_closed();
      });
    });
  } catch (const std::exception&) {  // whom we leave may be gone already
  }
  // The family's connections would end with the listener.
  if (is_root() && children_.empty()) transport_->stop_listening();
}

std::shared_ptr<RemotePeer> Actor::peer(const Uid& uid, std::vector<Address> addresses) {
  std::shared_ptr<RemotePeer>& slot = peers_[uid.uuid];
  if (!slot) {
    const auto child = children_.find(uid.uuid);
    slot = std::make_shared<RemotePeer>(*this, uid, std::move(addresses),
                                        child == children_.end() ? nullptr : child->second);
  } else if (!addresses.empty()) {
    slot->set_addresses(std::move(addresses));
  }
  return slot;
}

std::shared_ptr<Peer> Actor::followed(const Uid& uid) const {
  const auto child = children_.find(uid.uuid);
  return child == children_.end() ? nullptr : child->second->followed.lock();
}

Portal Actor::portal(const Uid& uid, const Address& address) {
  if (std::shared_ptr<Peer> child = followed(uid)) return Portal(std::move(child));
  return Portal(peer(uid, address));
}

// What the peer itself tells, or was told once, is less than what a directory knows.
std::shared_ptr<RemotePeer> Actor::peer(const Uid& uid, const Address& address) {
  const auto found = peers_.find(uid.uuid);
  if (found != peers_.end() && !found->second->address().empty()) return found->second;
  std::vector<Address> addresses;
  if (!address.empty()) addresses.push_back(address);
  return peer(uid, std::move(addresses));
}

Portal Actor::portal(const DirectoryEntry& entry) {
  if (std::shared_ptr<Peer> child = followed(entry.uid)) return Portal(std::move(child));
  return Portal(peer(entry.uid, nearest_first(entry.addresses, entry.host)));
}

Portal Actor::portal_at(const std::vector<Address>& addresses, const Key* key) {
  std::exception_ptr first;
  for (const Address& address : addresses) {
    try {
      const std::shared_ptr<Connection> connection = transport_->connect(address, key);
      const std::shared_ptr<RemotePeer> found = peer(connection->peer(), addresses);
      if (key != nullptr) found->use_key(*key);
      return Portal(found);
    } catch (const Error&) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
  throw TransportClosed(TransportClosed::Reason::unreachable, "there is no address to connect to");
}

bool Actor::connected_to(const Uid& uid) const {
  const auto found = peers_.find(uid.uuid);
  return found != peers_.end() && found->second->connected();
}

void Actor::add_child(std::shared_ptr<ChildLink> link) {
  children_.emplace(link->uid.uuid, std::move(link));
}

void Actor::remove_child(const ChildLink& link) {
  children_.erase(link.uid.uuid);
  peers_.erase(link.uid.uuid);
  if (!directory_) return;
  directory_->peer_gone(link.uid);
  directory_->child_died(link.uid);
}

void Actor::child_left(const ChildLink& link) noexcept {
  try {
    move_on_after(leave_limit, [&] { directory_->child_left(link.uid); });
  } catch (const std::exception&) {  // the arbiters may be gone already
  }
}

bool Actor::has_child(const std::string& uuid) const {
  const auto child = children_.find(uuid);
  return child != children_.end() && !child->second->ended.is_set();
}

std::vector<std::shared_ptr<ChildLink>> Actor::children() const {
  std::vector<std::shared_ptr<ChildLink>> all;
  for (const auto& [uuid, link] : children_) all.push_back(link);
  return all;
}

void Actor::kill_children() const noexcept {
  for (const auto& [uuid, link] : children_) {
    if (link->kill) link->kill();
  }
}

void Actor::on_child_ready(DirectoryEntry entry, const std::string& why_not) {
  const auto child = children_.find(entry.uid.uuid);
  if (child == children_.end() || child->second->uid != entry.uid) return;
  const std::shared_ptr<ChildLink> link = child->second;
  if (why_not.empty()) {
    entry.parent = uid().uuid;
    // Its end takes the entry out, so it must be still to come.
    if (connected_to(entry.uid)) directory_->child_serves(entry);
    link->serves = true;
  } else {
    link->boot_error = why_not;
  }
  link->ready.set();
}

Address Actor::child_address(const std::string& uuid) const {
  return Address::parse("ipc://" + config_.run_directory + "/" + uuid.substr(0, 16));
}

void Actor::request_cancel(std::chrono::nanoseconds grace, const std::optional<Uid>& canceller) {
  if (canceller && dispatcher_) dispatcher_->set_canceller(*canceller);
  log_line(LogLevel::cancel, "actor", "is asked to end within ",
           std::chrono::duration_cast<std::chrono::milliseconds>(grace));
  const TimePoint deadline =
      detail::saturating_add(current_time(), std::max(grace, std::chrono::nanoseconds::zero()));
  if (deadline < cancel_deadline_) {
    cancel_deadline_ = deadline;
    for (const auto& [uuid, link] : children_) {
      if (link->hurry) link->hurry();
    }
  }
  cancel_requested_.set();
}

std::chrono::nanoseconds Actor::grace_for_child(std::chrono::nanoseconds grace) const {
  if (cancel_deadline_ == never) return grace;
  const Duration left = std::max<Duration>(cancel_deadline_ - current_time(), Duration::zero());
  return std::min<Duration>(grace, left / 10 * 8);
}

void Actor::run_exit_callbacks() noexcept {
  takes_no_calls_ = true;
  while (!exit_callbacks_.empty()) {
    UniqueFunction<void()> callback = std::move(exit_callbacks_.back());
    exit_callbacks_.pop_back();
    CancelScope shield({.shield = true});
    try {
      shield.run([&] { callback(); });
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      log_message(LogLevel::error, "actor",
                  "a function given to on_exit of actor '" + uid().name +
                      "' failed: " + exception_type_name(error) + ": " + exception_message(error));
    }
  }
}

DialogHandler* Actor::on_start(Connection& connection, std::uint64_t dialog, BytesView payload) {
  if (takes_no_calls_) return nullptr;  // the caller learns it by our good-bye, which follows soon
  return dispatcher_->on_start(connection, dialog, payload);
}

void Actor::on_connected(Connection& connection) {
  peer(connection.peer(), connection.peer_address())->attach(connection.shared_from_this());
}

void Actor::on_disconnected(Connection& connection, std::exception_ptr why) {
  const Uid uid = connection.peer();
  const auto found = peers_.find(uid.uuid);
  if (found == peers_.end()) return;
  const std::shared_ptr<RemotePeer> peer = found->second;
  peer->detach(connection);
  if (peer->connected()) return;  // over another connection, which it made at the same time
  const auto child = children_.find(uid.uuid);
  if (child == children_.end()) {
    peers_.erase(uid.uuid);  // portals keep it; it comes back if they connect again
  } else {
    child->second->took_leave = left_in_order(why);
    child->second->disconnected.set();
  }
  if (directory_) directory_->peer_gone(uid);
}

}  // namespace troupe

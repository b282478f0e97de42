// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/remote_peer.h"

#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {
RemotePeer::RemotePeer(Actor& actor, Uid uid, std::vector<Address> addresses,
                       std::shared_ptr<ChildLink> child)
    : actor_(actor), uid_(std::move(uid)), child_(std::move(child)) {
  if (!addresses.empty()) set_addresses(std::move(addresses));
}

void RemotePeer::set_addresses(std::vector<Address> addresses) {
  addresses_ = std::move(addresses);
  address_ = addresses_.front();
}

bool RemotePeer::connected() const noexcept {
  if (uid_ == actor_.uid()) return true;
  return connection_ && connection_->open();
}

std::chrono::nanoseconds RemotePeer::cancel_grace() const noexcept {
  return actor_.config().cancel_grace;
}

void RemotePeer::attach(std::shared_ptr<Connection> connection) {
  connection_ = std::move(connection);
  disconnected_ = std::make_shared<Event>();
}

void RemotePeer::detach(const Connection& connection) {
  if (connection_.get() != &connection) return;
  connection_.reset();
  disconnected_->set();
}

std::shared_ptr<DialogPort> RemotePeer::connect() {
  if (connection_ && connection_->open()) return connection_;
  wait_if_child_is_leaving();
  throw_if_child_has_ended();
  std::exception_ptr first;
  const std::vector<Address> addresses = addresses_;  // more may become known meanwhile
  for (const Address& address : addresses) {
    try {
      return connect_to(address);
    } catch (const Error&) {
      if (connection_ && connection_->open()) return connection_;  // it has connected to us
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
  throw TransportClosed(TransportClosed::Reason::unreachable,
                        "none of the addresses of actor " + uid_.to_string() +
                            " leads there from here; let it listen at one that does (bind_addrs)");
}

std::shared_ptr<Connection> RemotePeer::connect_to(const Address& address) {
  std::shared_ptr<Connection> made = actor_.transport().connect(address, key_ ? &*key_ : nullptr);
  if (made->peer() != uid_) {
    throw TransportClosed(TransportClosed::Reason::unreachable,
                          "at " + address.str() + " there is now " + made->peer().to_string() +
                              " instead of " + uid_.to_string() + ", which has ended");
  }
  return made;
}

// A child connects before it serves, so one whose connection is gone, or ends, has left or died,
// and what became of it is known in a moment. Only between hosts may the network have been at
// fault.
void RemotePeer::wait_if_child_is_leaving() {
  if (!child_ || child_->ended.is_set()) return;
  if (!child_->disconnected.is_set() && !is_leaving()) return;
  move_on_after(verdict_limit, [&] { child_->ended.wait(); });
}

void RemotePeer::throw_if_child_has_ended() const {
  if (!child_ || !child_->ended.is_set()) return;
  if (child_->death) std::rethrow_exception(child_->death);
  throw TransportClosed(TransportClosed::Reason::left,
                        "actor '" + uid_.name + "' (pid " + std::to_string(child_->pid) +
                            ") has ended; start another one",
                        uid_.uuid);
}

std::exception_ptr RemotePeer::explain(std::exception_ptr closed) {
  if (!child_) return closed;
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(verdict_limit, [&] { child_->ended.wait(); }); });
  return child_->ended.is_set() && child_->death ? child_->death : closed;
}

bool RemotePeer::cancel_actor(std::chrono::nanoseconds timeout) {
  CancelScope shield({.shield = true});
  bool in_time = false;
  shield.run([&] { in_time = child_ ? cancel_child(timeout) : cancel_stranger(timeout); });
  return in_time;
}

// Whoever looks after it goes down the whole ladder, and sees to it that it does not come back.
bool RemotePeer::cancel_child(std::chrono::nanoseconds timeout) {
  if (child_->ended.is_set()) return false;
  if (child_->end_for_good) child_->end_for_good(timeout);
  move_on_after(timeout, [&] { child_->ended.wait(); });
  return child_->ended.is_set() && !child_->killed;
}

bool RemotePeer::cancel_stranger(std::chrono::nanoseconds timeout) {
  if (uid_ == actor_.uid()) {  // nobody can wait for his own end
    actor_.request_cancel(timeout, actor_.uid());
    return true;
  }
  const TimePoint deadline = detail::saturating_add(current_time(), timeout);
  try {
    if (!move_on_at(deadline, [&] { connect(); })) return false;
  } catch (const TransportClosed&) {  // it is gone already
    return false;
  }
  const Portal self(actor_.peer(uid_, address_));
  const auto asked = move_on_at(deadline, [&] {
    try {
      self.run<&detail::cancel_actor>(timeout, actor_.uid());
    } catch (const TransportClosed&) {  // it was quicker to leave than to answer
    }
  });
  if (!asked) return false;
  const std::shared_ptr<Event> gone = disconnected_;
  return bool(move_on_at(deadline, [&] {
    if (connected()) gone->wait();
  }));
}

}  // namespace troupe

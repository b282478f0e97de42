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
namespace {

// How long the fate of a child may take to be known once its connection is lost: its pidfd tells
// within milliseconds unless the machine is busy.
constexpr auto verdict_limit = std::chrono::seconds(5);

}  // namespace

RemotePeer::RemotePeer(Actor& actor, Uid uid, Address address, std::shared_ptr<ChildLink> child)
    : actor_(actor), uid_(std::move(uid)), address_(std::move(address)), child_(std::move(child)) {}

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
  if (child_ && child_->ended.is_set()) {
    if (child_->death) std::rethrow_exception(child_->death);
    throw TransportClosed(TransportClosed::Reason::left, "actor '" + uid_.name + "' has ended");
  }
  std::shared_ptr<Connection> made = actor_.transport().connect(address_);
  if (made->peer() != uid_) {
    throw TransportClosed(TransportClosed::Reason::unreachable,
                          "at " + address_.str() + " there is now " + made->peer().to_string() +
                              " instead of " + uid_.to_string() + ", which has ended");
  }
  return made;
}

std::exception_ptr RemotePeer::explain(std::exception_ptr closed) {
  if (!child_) return closed;
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(verdict_limit, [&] { child_->ended.wait(); }); });
  return child_->ended.is_set() && child_->death ? child_->death : closed;
}

bool RemotePeer::wait_for_end(std::chrono::nanoseconds timeout) {
  if (child_) return bool(move_on_after(timeout, [&] { child_->ended.wait(); }));
  const std::shared_ptr<Event> gone = disconnected_;
  return bool(move_on_after(timeout, [&] {
    if (connected()) gone->wait();
  }));
}

bool RemotePeer::cancel_actor(std::chrono::nanoseconds timeout) {
  if (child_ && child_->ended.is_set()) return false;
  bool in_time = false;
  CancelScope shield({.shield = true});
  shield.run([&] {
    const TimePoint deadline = current_time() + timeout;
    const auto asked = move_on_at(deadline, [&] {
      const std::shared_ptr<DialogPort> port = connect();
      const Portal self(actor_.peer(uid_, address_));
      try {
        self.run<&detail::cancel_actor>(timeout, actor_.uid());
      } catch (const TransportClosed&) {  // it was quicker to leave than to answer
      }
    });
    if (asked) in_time = wait_for_end(deadline - current_time());
  });
  return in_time;
}

}  // namespace troupe

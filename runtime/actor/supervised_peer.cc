// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/supervised_peer.h"

#include <string>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

// Calls that were under way ask soon what became of their incarnation.
constexpr std::size_t remembered = 8;
std::string peer_of(const std::exception_ptr& closed) {
  try {
    std::rethrow_exception(closed);
  } catch (const TransportClosed& error) {
    return error.peer_uuid();
  } catch (...) {
    return {};
  }
}

}  // namespace

std::shared_ptr<DialogPort> SupervisedPeer::connect() {
  for (;;) {
    if (state_ == State::over) throw_over();
    if (state_ == State::down) {
      wait_for_change();
      continue;
    }
    const std::shared_ptr<RemotePeer> incarnation = present();
    std::exception_ptr failed;
    try {
      return incarnation->connect();
    } catch (const TransportClosed&) {
      failed = std::current_exception();
    } catch (const ActorDied&) {
      failed = std::current_exception();
    }
    // Nothing was sent yet, so nothing is lost or done twice.
    if (!comes_again_after(incarnation)) std::rethrow_exception(failed);
  }
}

// Whether there is reason to look again, since the incarnation that could not be reached is no
// longer the present one. Checkpoint, if it may still be told.
bool SupervisedPeer::comes_again_after(const std::shared_ptr<RemotePeer>& failed) {
  if (!may_come_again_) return false;
  move_on_after(verdict_limit, [&] {
    while (state_ == State::up && present() == failed) wait_for_change();
  });
  return state_ != State::up || present() != failed;
}

bool SupervisedPeer::connected() const noexcept {
  return state_ == State::up && recent_.back()->connected();
}

std::exception_ptr SupervisedPeer::explain(std::exception_ptr closed) {
  const std::string uuid = peer_of(closed);
  // Held here: the list may change meanwhile.
  std::shared_ptr<RemotePeer> incarnation = uuid.empty() ? present() : nullptr;
  for (const std::shared_ptr<RemotePeer>& known : recent_) {
    if (known->uid().uuid == uuid) incarnation = known;
  }
  return incarnation ? incarnation->explain(std::move(closed)) : closed;
}

bool SupervisedPeer::cancel_actor(std::chrono::nanoseconds timeout) {
  if (state_ == State::over) return false;
  if (state_ == State::up) return present()->cancel_actor(timeout);
  CancelScope shield({.shield = true});
  shield.run([&] {
    if (end_for_good) end_for_good(timeout);
    move_on_after(timeout, [&] {
      while (state_ != State::over) wait_for_change();
    });
  });
  return state_ == State::over;
}

// Assigned in place: whoever holds a reference to the uid sees the new one.
void SupervisedPeer::came_up(std::shared_ptr<RemotePeer> incarnation) {
  uid_ = incarnation->uid();
  address_ = incarnation->address();
  if (recent_.size() == remembered) recent_.erase(recent_.begin());
  recent_.push_back(std::move(incarnation));
  state_ = State::up;
  waiters_.unpark_all();
}

void SupervisedPeer::went_down() {
  state_ = State::down;
  waiters_.unpark_all();
}

void SupervisedPeer::is_over(std::exception_ptr why) {
  state_ = State::over;
  why_ = std::move(why);
  waiters_.unpark_all();
}

void SupervisedPeer::throw_over() const {
  std::string text = "actor '" + uid_.name + "' has ended";
  if (why_) {
    try {
      std::rethrow_exception(why_);
    } catch (const ActorDied&) {
      throw;
    } catch (...) {
      text += ", and is not started again: " + exception_message(why_);
    }
  }
  throw TransportClosed(TransportClosed::Reason::left, text + "; start another one", uid_.uuid);
}

}  // namespace troupe

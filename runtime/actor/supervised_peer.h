// SPDX-License-Identifier: Apache-2.0
#pragma once

// A child actor as its parent's portals see it: whichever incarnation of it there is. A call that
// was under way when one died ends with that; one that is made later waits for the next, as long as
// there may be one. A single incarnation is a RemotePeer.

#include <chrono>
#include <exception>
#include <memory>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/remote_peer.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/rpc/peer.h"

namespace troupe {

/// A child over all its incarnations. Shared by its portals, and told by the task that looks after
/// it.
class SupervisedPeer final : public Peer {
 public:
  /// `may_come_again`: whether a successor may follow an incarnation that has ended.
  SupervisedPeer(std::chrono::nanoseconds cancel_grace, bool may_come_again)
      : cancel_grace_(cancel_grace), may_come_again_(may_come_again) {}

  /// The present incarnation, or the last. What the reference shows changes with it.
  const Uid& uid() const noexcept override { return uid_; }
  /// Where that one listens. As above.
  const Address& address() const noexcept override { return address_; }
  std::shared_ptr<DialogPort> connect() override;
  bool connected() const noexcept override;
  std::exception_ptr explain(std::exception_ptr closed) override;
  bool cancel_actor(std::chrono::nanoseconds timeout) override;
  std::chrono::nanoseconds cancel_grace() const noexcept override { return cancel_grace_; }

  // For the task that looks after the child.

  /// An incarnation serves. Never waits.
  void came_up(std::shared_ptr<RemotePeer> incarnation);
  /// It is to end, and another will follow. Never waits.
  void went_down();
  /// There will be no other. `why` is what it ended with; null when in order. Never waits.
  void is_over(std::exception_ptr why);
  /// Ends the child for good; set while the task lives.
  UniqueFunction<void(std::chrono::nanoseconds)> end_for_good;

 private:
  enum class State { down, up, over };

  void wait_for_change() { waiters_.park("the restart of an actor"); }
  bool comes_again_after(const std::shared_ptr<RemotePeer>& failed);
  [[noreturn]] void throw_over() const;
  std::shared_ptr<RemotePeer> present() const { return recent_.empty() ? nullptr : recent_.back(); }

  State state_ = State::down;
  Uid uid_;
  Address address_;
  std::chrono::nanoseconds cancel_grace_;
  bool may_come_again_;
  std::vector<std::shared_ptr<RemotePeer>> recent_;  // the present one last; shared with calls
  std::exception_ptr why_;
  ParkingLot waiters_;
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/broadcast_channel.h"

#include <string>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {
namespace {

std::string lag_text(std::uint64_t missed) {
  return "a receiver of a broadcast was too slow and has missed " + std::to_string(missed) +
         " values; receive faster, or keep more values";
}

}  // namespace

Lagged::Lagged(std::uint64_t missed) : Error(lag_text(missed)), missed_(missed) {}

namespace detail {

BroadcastCore::BroadcastCore(Capacity kept) : max_kept(kept.value()) {
  if (max_kept == 0 || kept.is_unbounded()) {
    throw UsageError(
        "a broadcast keeps a number of values, at least 1, for its slower receivers: neither 0 nor "
        "unbounded. When nothing may be lost, give each receiver a memory channel of its own");
  }
}

void BroadcastCore::throw_sender_closed() {
  throw BrokenChannel("the sender of this broadcast is closed: nothing can be sent any more");
}

Subscription::~Subscription() {
  --core_.receivers;
  if (waiter_ == nullptr) return;
  waiter_->handle_closed = true;
  if (!waiter_->linked()) return;  // a value, the end or a cancellation has woken it already
  waiter_->unlink();
  Loop::current().wake(*waiter_->task);
}

void Subscription::catch_up(std::uint64_t oldest) {
  if (position_ >= oldest) return;
  const std::uint64_t missed = oldest - std::exchange(position_, oldest);
  if (options_.raise_on_lag) throw Lagged(missed);
  log_message(LogLevel::warning, "fiber", lag_text(missed));
}

// Only what lies on this stack is touched once the waiter has been woken by the end of the
// subscription.
void Subscription::wait() {
  BroadcastWaiter waiter;
  waiter_ = &waiter;
  struct Forget {
    Subscription& subscription;
    const BroadcastWaiter& waiter;
    ~Forget() {
      if (!waiter.handle_closed) subscription.waiter_ = nullptr;
    }
  } const forget{*this, waiter};
  core_.parked.park(waiter, "BroadcastReceiver::receive");
  if (waiter.handle_closed) throw_closed();
}

void Subscription::require_unused() const {
  if (waiter_ == nullptr) return;
  throw UsageError(
      "another task receives from this receiver of a broadcast: subscribe once for each task");
}

void Subscription::throw_closed() {
  throw BrokenChannel("this receiver of a broadcast is closed: subscribe again to go on");
}

void Subscription::throw_empty() {
  throw WouldBlock("nothing has been broadcast since: use receive() to wait for a value");
}

void Subscription::throw_end() {
  throw EndOfChannel(
      "the sender of this broadcast is gone and everything has been received; next() and range-for "
      "end here without an error");
}

}  // namespace detail
}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/memory_channel.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {

std::uint64_t ChannelCore::open_handle(ChannelSide side) noexcept {
  ++(side == ChannelSide::send ? open_senders_ : open_receivers_);
  return ++handles_;
}

void ChannelCore::close_handle(ChannelSide side, std::uint64_t handle) noexcept {
  const bool sends = side == ChannelSide::send;
  (sends ? senders_ : receivers_).for_each([handle](ChannelWaiter& waiter) {
    if (waiter.handle == handle) settle(waiter, ChannelOutcome::handle_closed);
  });
  if (--(sends ? open_senders_ : open_receivers_) > 0) return;
  Waiters& others = sends ? receivers_ : senders_;
  while (!others.empty()) settle(others.front(), ChannelOutcome::other_side_gone);
  if (sends) {
    watchers_.tell();
  } else {
    drop_values();
  }
}

void ChannelCore::park(Waiters& queue, ChannelWaiter& waiter, const char* what) {
  waiter.what = what;
  waiter.abort = [](Wait& aborted) noexcept {
    static_cast<ChannelWaiter&>(aborted).unlink();
    return true;
  };
  queue.push_back(waiter);
  Loop::current().park(waiter);
}

void ChannelCore::settle(ChannelWaiter& waiter, ChannelOutcome outcome) noexcept {
  waiter.unlink();
  waiter.outcome = outcome;
  Loop::current().wake(*waiter.task);
}

void ChannelCore::throw_closed(ChannelSide side) {
  throw BrokenChannel(
      side == ChannelSide::send
          ? "this handle on the sending end of a memory channel is closed: send through a clone "
            "that is open"
          : "this handle on the receiving end of a memory channel is closed: receive from a clone "
            "that is open");
}

void ChannelCore::throw_receivers_gone() {
  throw BrokenChannel(
      "all receivers of this memory channel are gone, so what is sent cannot arrive: keep a "
      "receiving handle open, or stop sending");
}

void ChannelCore::throw_full() {
  throw WouldBlock("the memory channel is full: use send() to wait for room");
}

void ChannelCore::throw_empty() {
  throw WouldBlock("the memory channel is empty: use receive() to wait for a value");
}

void ChannelCore::throw_end() {
  throw EndOfChannel(
      "all senders of this memory channel are gone and everything has been received; next() and "
      "range-for end here without an error");
}

template <ChannelSide side>
ChannelEnd<side>::ChannelEnd(ChannelCore& core) noexcept
    : core_(&core), handle_(core.open_handle(side)) {
  core_->retain();
}

template <ChannelSide side>
ChannelEnd<side>::ChannelEnd(const ChannelEnd& other) noexcept
    : core_(other.core_), handle_(other.closed() ? 0 : core_->open_handle(side)) {
  if (core_ != nullptr) core_->retain();
}

template <ChannelSide side>
ChannelEnd<side>::~ChannelEnd() {
  close();
  if (core_ != nullptr) core_->release();
}

template <ChannelSide side>
void ChannelEnd<side>::close() const noexcept {
  const std::uint64_t handle = std::exchange(handle_, 0);
  if (handle != 0) core_->close_handle(side, handle);
}

template <ChannelSide side>
MemoryChannelStatistics ChannelEnd<side>::statistics() const {
  if (core_ == nullptr) throw UsageError("this handle on a memory channel has been moved from");
  return core_->statistics();
}

template class ChannelEnd<ChannelSide::send>;
template class ChannelEnd<ChannelSide::receive>;

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One sender, many receivers, each of which gets every value. The sender never waits for them: the
// last `n` values are kept, and a receiver that falls further behind loses the oldest and is told
// how many. When nothing may be lost, give each receiver a memory channel of its own instead.

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "troupe/runtime/fiber/capacity.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/merge.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/fiber/receive_iterator.h"
#include "troupe/runtime/fiber/ring.h"

namespace troupe {

/// A receiver of a broadcast was too slow and has missed values. It goes on with the oldest value
/// that is kept.
class Lagged : public Error {
 public:
  /// Tells how many were missed.
  explicit Lagged(std::uint64_t missed);
  /// How many values were lost to this receiver since it last received.
  std::uint64_t missed() const noexcept { return missed_; }

 private:
  std::uint64_t missed_;
};

/// How a receiver of a broadcast behaves.
struct SubscribeOptions {
  /// Whether falling behind raises `Lagged`; else it is logged as a warning, and receiving goes on.
  bool raise_on_lag = true;
};

/// What can be told about a broadcast channel.
struct BroadcastStatistics {
  std::uint64_t sent = 0;                 ///< How many values were sent.
  std::size_t current_buffer_used = 0;    ///< How many values are kept.
  std::size_t max_buffer_size = 0;        ///< How many are kept at most.
  std::size_t open_receivers = 0;         ///< How many receivers are open.
  std::size_t tasks_waiting_receive = 0;  ///< How many tasks wait for a value.
};

namespace detail {

/// A task parked in a receiver. Settled before it is woken.
struct BroadcastWaiter : Parked {
  bool handle_closed = false;
};

/// All of a broadcast channel that does not depend on the type of its values. Shared by sender and
/// receivers: either may outlive the other.
struct BroadcastCore {
  /// Throws `UsageError` when nothing is to be kept, or everything.
  explicit BroadcastCore(Capacity kept);

  std::size_t max_kept;       // values kept at most
  std::uint64_t sent = 0;     // the number of the next value
  bool ended = false;         // the sender is gone
  std::size_t receivers = 0;  // open ones
  ParkingLot parked;          // in all receivers
  ArrivalWatchers watchers;

  /// Tells who waits that there is a value, or the end.
  void wake_receivers() noexcept {
    parked.unpark_all();
    watchers.tell();
  }
  [[noreturn]] static void throw_sender_closed();
};

/// A broadcast channel of `T`.
template <class T>
struct BroadcastState : BroadcastCore {
  using BroadcastCore::BroadcastCore;
  Ring<Arrived<T>> values;  // those numbered from `oldest` on

  std::uint64_t oldest() const noexcept { return sent - values.size(); }
};

/// One receiver's place in a broadcast.
class Subscription {
 public:
  Subscription(BroadcastCore& core, std::uint64_t position, SubscribeOptions options) noexcept
      : core_(core), position_(position), options_(options) {
    ++core_.receivers;
  }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  std::uint64_t position() const noexcept { return position_; }
  SubscribeOptions options() const noexcept { return options_; }
  bool has_value() const noexcept { return position_ < core_.sent; }
  void advance() noexcept { ++position_; }
  /// Moves to `oldest` if it has fallen behind, and says so: throws `Lagged`, or logs.
  void catch_up(std::uint64_t oldest);
  /// Waits until there is a value, or the end.
  void wait();
  /// Throws when a task waits here already.
  void require_unused() const;

  [[noreturn]] static void throw_closed();
  [[noreturn]] static void throw_empty();
  [[noreturn]] static void throw_end();

 private:
  BroadcastCore& core_;
  std::uint64_t position_;
  SubscribeOptions options_;
  BroadcastWaiter* waiter_ = nullptr;
};

}  // namespace detail

template <class T>
class BroadcastSender;
template <class T>
struct BroadcastChannel;

namespace detail {
template <class T>
class BroadcastMergeSource;
}

/// Receives every value sent from its subscription on; an input range of them. A copy is a receiver
/// of its own, which goes on from the same place. Used by one task at a time. Made by
/// `open_broadcast` and `subscribe`.
template <class T>
class BroadcastReceiver {
 public:
  using value_type = T;
  using Iterator = ReceiveIterator<const BroadcastReceiver>;

  BroadcastReceiver(const BroadcastReceiver& other) : state_(other.state_) {
    if (other.place_) subscribe_at(other.place_->position(), other.place_->options());
  }
  BroadcastReceiver(BroadcastReceiver&&) noexcept = default;
  BroadcastReceiver& operator=(BroadcastReceiver other) noexcept {
    std::swap(state_, other.state_);
    std::swap(place_, other.place_);
    return *this;
  }

  /// Receives the next value. Checkpoint. Throws `Lagged` when values were missed (once; then it
  /// goes on with the oldest kept), `EndOfChannel` when the sender is gone and everything was
  /// received, `BrokenChannel` when this receiver is closed, `UsageError` when another task
  /// receives from it.
  T receive() const {
    if (!wait_for_value()) detail::Subscription::throw_end();
    T value = take();
    LoopCore::current().spend();
    return value;
  }
  /// Receives the next value; empty at the end. Checkpoint. Throws else as `receive`.
  std::optional<T> next() const {
    std::optional<T> value;
    if (wait_for_value()) {
      value.emplace(take());
      LoopCore::current().spend();
    }
    return value;
  }
  /// Receives a value that is there. Never waits. Throws `WouldBlock` if there is none; else as
  /// `receive`.
  T receive_nowait() const {
    require_open();
    if (!ready())
      state_->ended ? detail::Subscription::throw_end() : detail::Subscription::throw_empty();
    return take();
  }
  /// Receives a value that is there; empty if there is none, at the end too. Never waits. Throws
  /// else as `receive`.
  std::optional<T> try_receive() const {
    require_open();
    std::optional<T> value;
    if (ready()) value.emplace(take());
    return value;
  }

  /// Another receiver, of the values sent from now on. Never waits. Throws `BrokenChannel` when
  /// this one is closed.
  BroadcastReceiver subscribe(SubscribeOptions options = {}) const {
    require_open();
    return BroadcastReceiver(state_, state_->sent, options);
  }
  /// Another receiver that goes on from the same place. Throws `BrokenChannel` when this one is
  /// closed.
  BroadcastReceiver clone() const {
    require_open();
    return *this;
  }

  /// Closes this receiver; a task that waits in it gets `BrokenChannel`. Never waits.
  void close() noexcept { place_.reset(); }
  /// Whether it is closed (or was moved from).
  bool closed() const noexcept { return place_ == nullptr; }
  /// Counts values, receivers and waiters. Throws `BrokenChannel` when this receiver is closed.
  BroadcastStatistics statistics() const {
    require_open();
    return {state_->sent, state_->values.size(), state_->max_kept, state_->receivers,
            state_->parked.size()};
  }

  /// Iterates over what comes, up to the end.
  Iterator begin() const noexcept { return Iterator(*this); }
  /// The end.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  friend class BroadcastSender<T>;
  friend class detail::BroadcastMergeSource<T>;
  using State = std::shared_ptr<detail::BroadcastState<T>>;

  BroadcastReceiver(State state, std::uint64_t position, SubscribeOptions options)
      : state_(std::move(state)) {
    subscribe_at(position, options);
  }
  void subscribe_at(std::uint64_t position, SubscribeOptions options) {
    place_ = std::make_unique<detail::Subscription>(*state_, position, options);
  }
  void require_open() const {
    if (place_ == nullptr) detail::Subscription::throw_closed();
    place_->require_unused();
  }
  bool ready() const {
    place_->catch_up(state_->oldest());
    return place_->has_value();
  }
  // False at the end.
  bool wait_for_value() const {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    require_open();
    if (!ready() && !state_->ended) place_->wait();
    if (ready()) return true;
    loop.spend();
    return false;
  }
  const detail::Arrived<T>& front() const {
    return state_->values[place_->position() - state_->oldest()];
  }
  T take() const {
    T value(front().value);
    place_->advance();
    return value;
  }

  State state_;
  std::unique_ptr<detail::Subscription> place_;  // null when closed; waiters know its address
};

namespace detail {

template <class T>
class BroadcastMergeSource final : public MergeSource<T> {
 public:
  explicit BroadcastMergeSource(BroadcastReceiver<T> receiver) : receiver_(std::move(receiver)) {}
  bool has_value() const override { return receiver_.ready(); }
  std::uint64_t first_arrival() const override { return receiver_.front().arrival; }
  T take() override { return receiver_.take(); }
  bool at_end() const override { return receiver_.state_->ended; }
  void watch(ArrivalWatcher& watcher) override { receiver_.state_->watchers.add(watcher); }

 private:
  BroadcastReceiver<T> receiver_;
};

}  // namespace detail

/// A receiver of a broadcast as a source of `merge`, which goes on from its place as a receiver of
/// its own. `Lagged` leaves the merged end, which may be used on. Throws `BrokenChannel` when it is
/// closed.
template <class T>
std::unique_ptr<MergeSource<T>> merge_source(const BroadcastReceiver<T>& end) {
  return std::make_unique<detail::BroadcastMergeSource<T>>(end.clone());
}

/// The one sender of a broadcast channel. Moved, not copied; closed when it is destroyed. Made by
/// `open_broadcast`.
template <class T>
class BroadcastSender {
 public:
  BroadcastSender(BroadcastSender&&) noexcept = default;
  BroadcastSender& operator=(BroadcastSender&& other) noexcept {
    close();
    state_ = std::move(other.state_);
    return *this;
  }
  ~BroadcastSender() { close(); }

  /// Sends a value to all receivers; nobody need receive it. Does not wait for them, but lets
  /// others run: Checkpoint. Throws `BrokenChannel` when the sender is closed.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send(U&& value) const {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    send_nowait(std::forward<U>(value));
    loop.spend();
  }
  /// The same, without letting others run. Never waits.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send_nowait(U&& value) const {
    if (state_ == nullptr) detail::BroadcastCore::throw_sender_closed();
    // May throw while nothing has been given up yet.
    detail::Arrived<T> kept(detail::last_arrival + 1, std::forward<U>(value));
    if (state_->values.size() == state_->max_kept) state_->values.pop_front();
    state_->values.emplace_back(std::move(kept));
    ++detail::last_arrival;
    ++state_->sent;
    state_->wake_receivers();
  }

  /// A receiver of the values sent from now on. Never waits. Throws `BrokenChannel` when the sender
  /// is closed.
  BroadcastReceiver<T> subscribe(SubscribeOptions options = {}) const {
    if (state_ == nullptr) detail::BroadcastCore::throw_sender_closed();
    return BroadcastReceiver<T>(state_, state_->sent, options);
  }

  /// Ends the broadcast: receivers get what is kept, then the end. Never waits.
  void close() noexcept {
    if (state_ == nullptr) return;
    state_->ended = true;
    state_->wake_receivers();
    state_.reset();
  }
  /// Whether it is closed (or was moved from).
  bool closed() const noexcept { return state_ == nullptr; }
  /// Counts values, receivers and waiters. Throws `BrokenChannel` when the sender is closed.
  BroadcastStatistics statistics() const {
    if (state_ == nullptr) detail::BroadcastCore::throw_sender_closed();
    return {state_->sent, state_->values.size(), state_->max_kept, state_->receivers,
            state_->parked.size()};
  }

 private:
  template <class U>
  friend BroadcastChannel<U> open_broadcast(Capacity, SubscribeOptions);
  explicit BroadcastSender(Capacity kept)
      : state_(std::make_shared<detail::BroadcastState<T>>(kept)) {}

  std::shared_ptr<detail::BroadcastState<T>> state_;
};

/// A broadcast channel's sender and its first receiver:
/// `auto [send, receive] = open_broadcast<int>(16);`.
template <class T>
struct BroadcastChannel {
  BroadcastSender<T> send;       ///< Where values go in.
  BroadcastReceiver<T> receive;  ///< Where they come out; subscribe for more.
};

/// Opens a broadcast channel that keeps the last `kept` values for slow receivers. Never waits.
/// Throws `UsageError` if `kept` is not at least 1, and finite.
template <class T>
BroadcastChannel<T> open_broadcast(Capacity kept, SubscribeOptions options = {}) {
  static_assert(std::copy_constructible<T>,
                "each receiver of a broadcast gets a copy: `T` must be a copyable type; send a "
                "std::shared_ptr to something that is not");
  BroadcastSender<T> send(kept);
  BroadcastReceiver<T> receive = send.subscribe(options);
  return {std::move(send), std::move(receive)};
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory channels carry values from task to task within one loop. `open_memory_channel<T>(n)` gives
// the two ends of one that holds `n` values: senders wait when it is full, receivers when it is
// empty, both in the order in which they came. With capacity 0 a send waits for a receiver, with
// `unbounded` it never does (and memory is the limit).
//
// Ends are handles: a copy is one more handle on the same end ("clone"), and an end is closed when
// the last of its handles is closed or destroyed. Threads: all handles belong to one loop.
//
// When a task fails, its nursery is cancelled before its closure is destroyed: who receives there
// from a channel whose last send handle the closure held is cancelled, and does not take the
// failure for the end. (A handle in a variable of the task's closes earlier, as the stack unwinds.)

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/arrival.h"
#include "troupe/runtime/fiber/capacity.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/receive_iterator.h"
#include "troupe/runtime/fiber/ring.h"

namespace troupe {

/// What can be told about a memory channel.
struct MemoryChannelStatistics {
  std::size_t current_buffer_used = 0;    ///< How many values lie in the buffer.
  std::size_t peak_buffer_used = 0;       ///< How many did at most.
  std::size_t max_buffer_size = 0;        ///< How many fit; `unbounded` for no limit.
  std::size_t open_send_channels = 0;     ///< Handles on the sending end.
  std::size_t open_receive_channels = 0;  ///< Handles on the receiving end.
  std::size_t tasks_waiting_send = 0;     ///< Tasks parked in `send`.
  std::size_t tasks_waiting_receive = 0;  ///< Tasks parked in `receive`.
};

namespace detail {

struct InChannel;

enum class ChannelSide : unsigned char { send, receive };
enum class ChannelOutcome : unsigned char { pending, done, handle_closed, other_side_gone };

/// A task parked in `send` or `receive`. Settled (outcome and value) before it is woken; it does
/// not touch the channel afterwards, which may be gone by then.
struct ChannelWaiter : Wait, ListHook<InChannel> {
  std::uint64_t handle = 0;
  ChannelOutcome outcome = ChannelOutcome::pending;
};

/// All of a channel that does not depend on the type of its values. Owned by the handles, which
/// count.
class ChannelCore {
 public:
  explicit ChannelCore(Capacity capacity) noexcept : capacity_(capacity.value()) {}
  ChannelCore(const ChannelCore&) = delete;
  ChannelCore& operator=(const ChannelCore&) = delete;
  virtual ~ChannelCore() = default;

  void retain() noexcept { ++uses_; }
  void release() noexcept {
    if (--uses_ == 0) delete this;
  }
  std::uint64_t open_handle(ChannelSide side) noexcept;
  void close_handle(ChannelSide side, std::uint64_t handle) noexcept;
  bool at_end() const noexcept { return open_senders_ == 0; }
  void watch(ArrivalWatcher& watcher) noexcept { watchers_.add(watcher); }
  virtual MemoryChannelStatistics statistics() const noexcept = 0;

  [[noreturn]] static void throw_closed(ChannelSide side);
  [[noreturn]] static void throw_receivers_gone();
  [[noreturn]] static void throw_full();
  [[noreturn]] static void throw_empty();
  [[noreturn]] static void throw_end();

 protected:
  using Waiters = IntrusiveList<ChannelWaiter, InChannel>;

  static void park(Waiters& queue, ChannelWaiter& waiter, const char* what);
  static void settle(ChannelWaiter& waiter, ChannelOutcome outcome) noexcept;
  virtual void drop_values() noexcept = 0;

  std::size_t capacity_;
  std::size_t open_senders_ = 0;
  std::size_t open_receivers_ = 0;
  Waiters senders_;    // not empty: the buffer is full
  Waiters receivers_;  // not empty: the buffer is, and no sender waits
  ArrivalWatchers watchers_;

 private:
  std::size_t uses_ = 0;
  std::uint64_t handles_ = 0;
};

template <class T>
struct SendWaiter : ChannelWaiter {
  T* value = nullptr;
  std::uint64_t arrival = 0;
};

template <class T>
struct ReceiveWaiter : ChannelWaiter {
  std::optional<T> value;
};

/// A channel of `T`.
template <class T>
class ChannelState final : public ChannelCore {
 public:
  using ChannelCore::ChannelCore;

  /// Hands a value to a waiting receiver or buffers it; false, leaving it alone, when there is room
  /// in neither.
  template <class U>
  bool try_put(U&& value) {
    if (open_receivers_ == 0) throw_receivers_gone();
    if (!receivers_.empty()) {
      auto& receiver = static_cast<ReceiveWaiter<T>&>(receivers_.front());
      receiver.value.emplace(std::forward<U>(value));
      settle(receiver, ChannelOutcome::done);
      return true;
    }
    if (buffer_.size() >= capacity_) return false;
    buffer_.emplace_back(last_arrival + 1, std::forward<U>(value));
    ++last_arrival;
    if (buffer_.size() > peak_) peak_ = buffer_.size();
    watchers_.tell();
    return true;
  }
  /// Waits until a receiver or the buffer has taken `value`.
  ChannelOutcome wait_to_put(T& value, std::uint64_t handle) {
    SendWaiter<T> waiter;
    waiter.handle = handle;
    waiter.value = &value;
    waiter.arrival = ++last_arrival;
    watchers_.tell();
    park(senders_, waiter, "MemorySendChannel::send");
    return waiter.outcome;
  }

  /// Whether `take` may be called.
  bool has_value() const noexcept { return !buffer_.empty() || !senders_.empty(); }
  /// The number of the first value to be taken; there must be one.
  std::uint64_t first_arrival() noexcept {
    return buffer_.empty() ? first_sender().arrival : buffer_.front().arrival;
  }
  /// Takes the first value; there must be one.
  T take() {
    if (buffer_.empty()) {
      SendWaiter<T>& sender = first_sender();
      T value(std::move(*sender.value));
      settle(sender, ChannelOutcome::done);
      return value;
    }
    T value(std::move(buffer_.front().value));
    buffer_.pop_front();
    if (!senders_.empty()) refill();
    return value;
  }
  /// Waits until a sender hands over a value, or the end comes.
  void wait_to_take(ReceiveWaiter<T>& waiter, std::uint64_t handle) {
    waiter.handle = handle;
    park(receivers_, waiter, "MemoryReceiveChannel::receive");
  }

  MemoryChannelStatistics statistics() const noexcept override {
    return {buffer_.size(),  peak_,           capacity_,        open_senders_,
            open_receivers_, senders_.size(), receivers_.size()};
  }

 private:
  SendWaiter<T>& first_sender() noexcept { return static_cast<SendWaiter<T>&>(senders_.front()); }
  void refill() {
    SendWaiter<T>& sender = first_sender();
    buffer_.emplace_back(sender.arrival, std::move(*sender.value));
    settle(sender, ChannelOutcome::done);
  }
  // Values may hold handles on this very channel: they die when it is in order again.
  void drop_values() noexcept override { const Ring<Arrived<T>> dropped(std::move(buffer_)); }

  Ring<Arrived<T>> buffer_;
  std::size_t peak_ = 0;
};

/// What the handles of both ends share: being counted.
template <ChannelSide side>
class ChannelEnd {
 public:
  /// Closes this handle: whoever waits in it gets `BrokenChannel`, and so does everyone who uses it
  /// from now on. With the last handle of its side, the side is closed. Closing it again does
  /// nothing. Never waits.
  void close() const noexcept;
  /// Whether this handle has been closed (or moved from).
  bool closed() const noexcept { return handle_ == 0; }
  /// Counts buffered values, handles and waiters. Throws `UsageError` when moved from.
  MemoryChannelStatistics statistics() const;

 protected:
  explicit ChannelEnd(ChannelCore& core) noexcept;
  ChannelEnd(const ChannelEnd& other) noexcept;
  ChannelEnd(ChannelEnd&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), handle_(std::exchange(other.handle_, 0)) {}
  // Two of them, and not one by value: that could not be called by the classes derived from this.
  ChannelEnd& operator=(const ChannelEnd& other) noexcept {
    ChannelEnd copy(other);
    swap(copy);
    return *this;
  }
  ChannelEnd& operator=(ChannelEnd&& other) noexcept {
    ChannelEnd taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~ChannelEnd();

  void require_open() const {
    if (handle_ == 0) ChannelCore::throw_closed(side);
  }
  void swap(ChannelEnd& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(handle_, other.handle_);
  }

  ChannelCore* core_;
  // A handle is shallow: one may send through a const one, and close it.
  mutable std::uint64_t handle_;
};

extern template class ChannelEnd<ChannelSide::send>;
extern template class ChannelEnd<ChannelSide::receive>;

template <class T>
struct ChannelFactory;

}  // namespace detail

/// A handle on the sending end of a memory channel. A copy is one more handle. Made by
/// `open_memory_channel`.
template <class T>
class MemorySendChannel : public detail::ChannelEnd<detail::ChannelSide::send> {
 public:
  using value_type = T;

  /// Sends a value: waits until a receiver takes it or the buffer has room. Checkpoint; when it
  /// throws, the value was not sent. Throws `BrokenChannel` when all receivers are gone or this
  /// handle is closed.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send(U&& value) const {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    this->require_open();
    if (state().try_put(std::forward<U>(value))) return loop.spend();
    wait_to_send(std::forward<U>(value));
  }

  /// Sends a value if that needs no waiting. Never waits. Throws `WouldBlock`, leaving `value`
  /// alone, if it does; else as `send`.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send_nowait(U&& value) const {
    if (!try_send(std::forward<U>(value))) detail::ChannelCore::throw_full();
  }

  /// Sends a value if that needs no waiting; else returns false and leaves `value` alone. Never
  /// waits. Throws `BrokenChannel` as `send` does.
  template <class U = T>
  requires std::convertible_to<U, T>
  bool try_send(U&& value) const {
    this->require_open();
    return state().try_put(std::forward<U>(value));
  }

  /// One more handle on this end. Throws `BrokenChannel` when this one is closed.
  MemorySendChannel clone() const {
    this->require_open();
    return *this;
  }

 private:
  friend struct detail::ChannelFactory<T>;
  using detail::ChannelEnd<detail::ChannelSide::send>::ChannelEnd;

  detail::ChannelState<T>& state() const noexcept {
    return static_cast<detail::ChannelState<T>&>(*this->core_);
  }
  void wait_to_send(T value) const {
    switch (state().wait_to_put(value, this->handle_)) {
      case detail::ChannelOutcome::handle_closed:
        detail::ChannelCore::throw_closed(detail::ChannelSide::send);
      case detail::ChannelOutcome::other_side_gone:
        detail::ChannelCore::throw_receivers_gone();
      default:
        return;
    }
  }
};

/// A handle on the receiving end of a memory channel; an input range of what comes. A copy is one
/// more handle: each value goes to one of them. Made by `open_memory_channel`.
template <class T>
class MemoryReceiveChannel : public detail::ChannelEnd<detail::ChannelSide::receive> {
 public:
  using value_type = T;
  using Iterator = ReceiveIterator<const MemoryReceiveChannel>;

  /// Receives the next value. Checkpoint; when it throws `Cancelled`, no value was taken. Throws
  /// `EndOfChannel` when all senders are gone and everything has been received, `BrokenChannel`
  /// when this handle is closed.
  T receive() const {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    this->require_open();
    if (!state().has_value()) return wait_to_receive();
    T value = state().take();
    loop.spend();
    return value;
  }

  /// Receives the next value; empty at the end. Checkpoint. Throws `BrokenChannel` when this handle
  /// is closed.
  std::optional<T> next() const {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    this->require_open();
    std::optional<T> value;
    if (state().has_value()) {
      value.emplace(state().take());
    } else if (!state().at_end()) {
      detail::ReceiveWaiter<T> waiter;
      wait(waiter);
      if (waiter.value) value.emplace(*std::move(waiter.value));
      return value;
    }
    loop.spend();
    return value;
  }

  /// Receives a value that is there. Never waits. Throws `WouldBlock` if there is none; else as
  /// `receive`.
  T receive_nowait() const {
    this->require_open();
    if (state().has_value()) return state().take();
    if (state().at_end()) detail::ChannelCore::throw_end();
    detail::ChannelCore::throw_empty();
  }

  /// Receives a value that is there; empty if there is none, at the end too. Never waits. Throws
  /// `BrokenChannel` when this handle is closed.
  std::optional<T> try_receive() const {
    this->require_open();
    std::optional<T> value;
    if (state().has_value()) value.emplace(state().take());
    return value;
  }

  /// One more handle on this end. Throws `BrokenChannel` when this one is closed.
  MemoryReceiveChannel clone() const {
    this->require_open();
    return *this;
  }

  /// Iterates over what comes, up to the end.
  Iterator begin() const noexcept { return Iterator(*this); }
  /// The end.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

  /// For `merge`: the channel behind this handle.
  detail::ChannelState<T>& state() const noexcept {
    return static_cast<detail::ChannelState<T>&>(*this->core_);
  }

 private:
  friend struct detail::ChannelFactory<T>;
  using detail::ChannelEnd<detail::ChannelSide::receive>::ChannelEnd;

  // Not inlined into the callers, whose usual way it is not.
  T wait_to_receive() const {
    if (state().at_end()) detail::ChannelCore::throw_end();
    detail::ReceiveWaiter<T> waiter;
    wait(waiter);
    if (!waiter.value) detail::ChannelCore::throw_end();
    return *std::move(waiter.value);
  }
  void wait(detail::ReceiveWaiter<T>& waiter) const {
    state().wait_to_take(waiter, this->handle_);
    if (waiter.outcome == detail::ChannelOutcome::handle_closed)
      detail::ChannelCore::throw_closed(detail::ChannelSide::receive);
  }
};

/// The two ends of a memory channel: `auto [send, receive] = open_memory_channel<int>(5);`.
template <class T>
struct MemoryChannel {
  MemorySendChannel<T> send;        ///< Where values go in.
  MemoryReceiveChannel<T> receive;  ///< Where they come out.
};

namespace detail {
template <class T>
struct ChannelFactory {
  static MemoryChannel<T> make(Capacity capacity) {
    ChannelCore& core = *new ChannelState<T>(capacity);
    return {MemorySendChannel<T>(core), MemoryReceiveChannel<T>(core)};
  }
};
}  // namespace detail

/// Opens a channel that holds up to `capacity` values: 0 lets sender and receiver meet, `unbounded`
/// never lets a sender wait. Never waits. Throws `UsageError` if it is negative.
template <class T>
MemoryChannel<T> open_memory_channel(Capacity capacity) {
  static_assert(std::is_object_v<T> && std::move_constructible<T>,
                "the values of a channel are moved through it: `T` must be a movable type, not a "
                "reference; send a std::unique_ptr or a std::reference_wrapper instead");
  return detail::ChannelFactory<T>::make(capacity);
}

}  // namespace troupe

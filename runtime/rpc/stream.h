// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams: many values from one actor to another, or both ways, under credit. A function whose
// first parameter is a `Sink<T>` sends a stream to its caller; contexts have streams in both
// directions.

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/rpc/callee_end.h"
#include "troupe/runtime/rpc/errors.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/receive_end.h"
#include "troupe/runtime/rpc/stream_options.h"

namespace troupe {

namespace detail {

/// What the copies of a sink share: the dialog, until the function returns. A task that the
/// function does not wait for may still be in the middle of sending then, so the end itself stays.
class SinkState {
 public:
  explicit SinkState(std::shared_ptr<CalleeEnd> end) noexcept : end_(std::move(end)) {}
  void close() noexcept { closed_ = true; }
  /// Throws `BrokenChannel` when the function has returned.
  DialogEnd& end() const;

 private:
  std::shared_ptr<CalleeEnd> end_;
  bool closed_ = false;
};

[[noreturn]] void throw_no_credit();

}  // namespace detail

/// Where a stream function sends its values. A value: copies, in any tasks, send into the same
/// stream. Made by the runtime, or of a memory channel, so that a stream function can be called
/// (and tested) in its own process.
template <class T>
class Sink {
 public:
  using value_type = T;

  /// Sends into a memory channel.
  Sink(MemorySendChannel<T> channel)  // NOLINT(google-explicit-constructor): stands for it
      : channel_(std::move(channel)) {}
  /// For the runtime.
  explicit Sink(std::shared_ptr<detail::SinkState> state) noexcept : state_(std::move(state)) {}

  /// Sends a value: waits while the receiver has granted no credit. Checkpoint; when it throws, the
  /// value was not sent. Throws `BrokenChannel` when the stream has ended.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send(U&& value) const {
    if (channel_) return channel_->send(std::forward<U>(value));
    if constexpr (std::is_same_v<std::remove_cvref_t<U>, T>) {
      state_->end().send_value(value);
    } else {
      const T converted(std::forward<U>(value));
      state_->end().send_value(converted);
    }
  }
  /// Sends a value if that needs no waiting; else returns false. Never waits. Throws
  /// `BrokenChannel` when the stream has ended.
  template <class U = T>
  requires std::convertible_to<U, T>
  bool try_send(U&& value) const {
    if (channel_) return channel_->try_send(std::forward<U>(value));
    const T converted(std::forward<U>(value));
    return state_->end().try_send_value(converted);
  }
  /// Sends a value if that needs no waiting. Never waits. Throws `WouldBlock` if it does; else as
  /// `send`.
  template <class U = T>
  requires std::convertible_to<U, T>
  void send_nowait(U&& value) const {
    if (!try_send(std::forward<U>(value))) detail::throw_no_credit();
  }

 private:
  std::shared_ptr<detail::SinkState> state_;
  std::optional<MemorySendChannel<T>> channel_;
};

/// What the caller of a stream function receives; an input range. Resource, made by `open_stream`.
template <class T>
class ReceiveStream : public ReceiveEnd<T> {
 public:
  using ReceiveEnd<T>::ReceiveEnd;

  /// Cancels the remote function before the block ends. What has arrived can still be received.
  /// Never waits. Does nothing the second time.
  void close() {
    this->input().request_end();
    this->input().finish(nullptr);
  }
};

/// The sending half of a context's stream.
template <class S>
class SendEnd {
 public:
  /// For the runtime.
  explicit SendEnd(detail::DialogEnd& end) noexcept : dialog_(end) {}
  SendEnd(const SendEnd&) = delete;
  SendEnd& operator=(const SendEnd&) = delete;

  /// Sends a value: waits while the receiver has granted no credit. Checkpoint; when it throws, the
  /// value was not sent. Throws `BrokenChannel` when the other side has left the stream, or this
  /// one has.
  template <class U = S>
  requires std::convertible_to<U, S>
  void send(U&& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<U>, S>) {
      dialog_.send_value(value);
    } else {
      const S converted(std::forward<U>(value));
      dialog_.send_value(converted);
    }
  }
  /// Sends a value if that needs no waiting; else returns false. Never waits. Throws as `send`.
  template <class U = S>
  requires std::convertible_to<U, S>
  bool try_send(U&& value) {
    const S converted(std::forward<U>(value));
    return dialog_.try_send_value(converted);
  }
  /// Sends a value if that needs no waiting. Never waits. Throws `WouldBlock` if it does; else as
  /// `send`.
  template <class U = S>
  requires std::convertible_to<U, S>
  void send_nowait(U&& value) {
    if (!try_send(std::forward<U>(value))) detail::throw_no_credit();
  }
  /// Says that no more values come from here: the other side's loop ends. This side still receives
  /// (half close). Never waits. Does nothing the second time.
  void close_send() { dialog_.stop_sending(); }

 private:
  detail::DialogEnd& dialog_;
};

namespace detail {

// A direction without values.
struct NoReceiveEnd {
  explicit NoReceiveEnd(TypedInput<void>&) noexcept {}
};
struct NoSendEnd {
  explicit NoSendEnd(DialogEnd&) noexcept {}
};

template <class R>
using ReceiveHalf = std::conditional_t<std::is_void_v<R>, NoReceiveEnd, ReceiveEnd<R>>;
template <class S>
using SendHalf = std::conditional_t<std::is_void_v<S>, NoSendEnd, SendEnd<S>>;

}  // namespace detail

/// One side of a context's stream: receives values of type `R` (it is an input range of them), and
/// sends values of type `S`. Either may be void. Resource, made by a context's `open_stream`.
template <class R, class S>
class Stream : public detail::ReceiveHalf<R>, public detail::SendHalf<S> {
 public:
  /// For the runtime.
  Stream(detail::TypedInput<R>& input, detail::DialogEnd& end) noexcept
      : detail::ReceiveHalf<R>(input), detail::SendHalf<S>(end), input_(input), end_(end) {}

  /// Leaves the stream before its block ends, in both directions. Receiving comes to the end after
  /// what has arrived already. Never waits. Does nothing the second time.
  void close() {
    end_.leave_stream();
    input_.finish(nullptr);
  }

 private:
  detail::StreamInput& input_;
  detail::DialogEnd& end_;
};

namespace detail {

/// A direction without values takes none.
template <>
class TypedInput<void> final : public StreamInput {
 private:
  void serve() override;
};

template <class T>
struct DialogServer<Sink<T>> {
  template <auto F>
  static void serve(CalleeEnd& end, BytesView arguments, Bytes&) {
    const auto state = std::make_shared<SinkState>(end.shared_from_this());
    struct Close {
      SinkState& state;
      ~Close() { state.close(); }
    } const close{*state};
    Sink<T> sink(state);
    call_decoded<F>(arguments, sink);
  }
};

}  // namespace detail
}  // namespace troupe

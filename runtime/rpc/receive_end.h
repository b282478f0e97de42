// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the receiving ends of all streams have in common: `ReceiveStream` and `Stream` are one.

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/fiber/merge.h"
#include "troupe/runtime/fiber/receive_iterator.h"
#include "troupe/runtime/rpc/stream_hub.h"
#include "troupe/runtime/rpc/stream_input.h"

namespace troupe {

/// The receiving end of a stream; an input range of what comes. Resource; belongs to the block that
/// it was opened for.
template <class T>
class ReceiveEnd {
 public:
  using value_type = T;
  using Iterator = ReceiveIterator<ReceiveEnd>;

  /// For the runtime. Lifetime: `input` must outlive it.
  explicit ReceiveEnd(detail::TypedInput<T>& input) noexcept : input_(input) {}
  ReceiveEnd(const ReceiveEnd&) = delete;
  ReceiveEnd& operator=(const ReceiveEnd&) = delete;

  /// Receives the next value. Checkpoint; when it throws `Cancelled`, no value was taken. Throws
  /// `EndOfChannel` when the other side sends no more, and the error that it ended with
  /// (`RemoteActorError`, `ActorDied`, ...) after its last value; `MsgTypeError` for a value that
  /// is no `T`, `StreamOverrun` as the options say.
  T receive() {
    std::optional<T> value = next();
    if (!value) input_.throw_end();
    return *std::move(value);
  }
  /// Receives the next value; empty at the end. Checkpoint. Throws else as `receive`.
  std::optional<T> next() { return hub_ ? hub_->next_for_stream() : input_.next(); }
  /// Receives a value that is there. Never waits for one; where the stream ended with its actor's
  /// connection, for a moment until it is known how. Throws `WouldBlock` if there is none; else as
  /// `receive`.
  T receive_nowait() {
    std::optional<T> value = try_receive();
    if (value) return *std::move(value);
    if (input_.drained()) input_.throw_end();
    detail::ChannelCore::throw_empty();
  }
  /// Receives a value that is there; empty if there is none, at the end too. Never waits.
  std::optional<T> try_receive() { return hub_ ? hub_->try_next_for_stream() : input_.try_next(); }

  /// Calls `body(values)` with a receiver of its own: each of several bodies, in tasks of their
  /// own, gets every value that comes from here on. The fastest waits for the slowest when that is
  /// far behind. The stream itself is one more receiver from its first use after this on, so either
  /// goes on being used or is not used at all; who waits in it already keeps the value that it
  /// gets. Returns what `body` returns.
  template <std::invocable<StreamSubscription<T>&> Body>
  decltype(auto) subscribe(Body&& body) {
    if (!hub_) hub_ = std::make_unique<detail::StreamHub<T>>(input_);
    StreamSubscription<T> values(static_cast<detail::StreamHub<T>&>(*hub_));
    return std::forward<Body>(body)(values);
  }

  /// Iterates over what comes, up to the end. An error is raised in the loop.
  Iterator begin() noexcept { return Iterator(*this); }
  /// The end.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

  /// For `merge`: the values behind. Not together with `subscribe`.
  detail::TypedInput<T>& input() const noexcept { return input_; }

 private:
  detail::TypedInput<T>& input_;
  std::unique_ptr<detail::SharedStream<T>> hub_;
};

namespace detail {

template <class T>
class StreamMergeSource final : public MergeSource<T> {
 public:
  explicit StreamMergeSource(TypedInput<T>& input) : input_(input) {}
  bool has_value() const override { return input_.has_value(); }
  std::uint64_t first_arrival() const override { return input_.first_arrival(); }
  T take() override { return input_.take(); }
  bool at_end() const override {
    if (!input_.finished()) return false;
    input_.report_end();
    return true;
  }
  void watch(ArrivalWatcher& watcher) override { input_.watch(watcher); }

 private:
  TypedInput<T>& input_;
};

}  // namespace detail

/// A stream as a source of `merge`. Lifetime: the stream must outlive what `merge` returns. The
/// error that a stream ends with leaves the merged end.
template <class T>
std::unique_ptr<MergeSource<T>> merge_source(ReceiveEnd<T>& end) {
  return std::make_unique<detail::StreamMergeSource<T>>(end.input());
}

}  // namespace troupe

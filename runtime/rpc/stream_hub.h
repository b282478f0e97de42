// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several local consumers of one stream, each of which gets every value. Whoever has nothing to
// read pulls the next value from the stream for all; values stay until the slowest has taken them,
// and the fastest waits when that are many. So nothing is lost, and memory is bounded.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/fiber/receive_iterator.h"
#include "troupe/runtime/fiber/ring.h"
#include "troupe/runtime/rpc/stream_input.h"

namespace troupe {

template <class T>
class StreamSubscription;

namespace detail {

struct InStreamHub;

/// A consumer's place: the number of its next value.
struct HubReader : ListHook<InStreamHub> {
  std::uint64_t position = 0;
};

/// A hub as its own stream sees it, which may have values that cannot be copied as long as nobody
/// subscribes.
template <class T>
class SharedStream {
 public:
  virtual ~SharedStream() = default;
  /// The stream itself is one more consumer, from its first use on.
  virtual std::optional<T> next_for_stream() = 0;
  virtual std::optional<T> try_next_for_stream() = 0;
};

/// The consumers of one stream, and the values that not all of them have taken.
template <class T>
class StreamHub final : public SharedStream<T> {
 public:
  explicit StreamHub(TypedInput<T>& input) : input_(input) {}

  void add(HubReader& reader) noexcept {
    reader.position = end();
    readers_.push_back(reader);
  }
  void remove(HubReader& reader) noexcept {
    reader.unlink();
    trim();
  }

  /// The next value for `reader`; empty at the end. Checkpoint.
  std::optional<T> next(HubReader& reader) {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    while (reader.position == end()) {
      if (pulling_ || values_.size() >= max_kept) {
        changed_.park("StreamHub::next");
      } else if (!pull()) {
        return std::nullopt;
      }
    }
    loop.spend();
    return take(reader);
  }
  /// A value that is there for `reader`, or nothing. Never waits.
  std::optional<T> try_next(HubReader& reader) {
    if (reader.position == end() && !pulling_ && values_.size() < max_kept) {
      if (std::optional<T> value = input_.try_next()) push(*std::move(value));
    }
    if (reader.position == end()) return std::nullopt;
    return take(reader);
  }

  /// What `receive` throws when `next` has come to the end.
  [[noreturn]] void throw_end() { input_.throw_end(); }

  std::optional<T> next_for_stream() override { return next(stream_reader()); }
  std::optional<T> try_next_for_stream() override { return try_next(stream_reader()); }

 private:
  static constexpr std::size_t max_kept = 1024;

  std::uint64_t end() const noexcept { return first_ + values_.size(); }

  HubReader& stream_reader() noexcept {
    if (!stream_reader_.linked()) add(stream_reader_);
    return stream_reader_;
  }

  // Gets one value from the stream; false at its end.
  bool pull() {
    struct Pulling {
      StreamHub& hub;
      explicit Pulling(StreamHub& h) : hub(h) { hub.pulling_ = true; }
      ~Pulling() {
        hub.pulling_ = false;
        hub.changed_.unpark_all();
      }
    } const pulling(*this);
    std::optional<T> value = input_.next();
    if (!value) return false;
    push(*std::move(value));
    return true;
  }
  void push(T value) { values_.emplace_back(std::move(value)); }

  std::optional<T> take(HubReader& reader) {
    std::optional<T> value(values_[static_cast<std::size_t>(reader.position - first_)]);
    ++reader.position;
    trim();
    return value;
  }
  // Drops what every reader has taken.
  void trim() noexcept {
    std::uint64_t slowest = end();
    readers_.for_each([&](HubReader& reader) {
      if (reader.position < slowest) slowest = reader.position;
    });
    const bool was_full = values_.size() >= max_kept;
    for (; first_ < slowest; ++first_) values_.pop_front();
    if (was_full && values_.size() < max_kept) changed_.unpark_all();
  }

  TypedInput<T>& input_;
  Ring<T> values_;
  std::uint64_t first_ = 0;  // the number of the first one
  bool pulling_ = false;     // a consumer waits for the stream
  ParkingLot changed_;
  IntrusiveList<HubReader, InStreamHub> readers_;
  HubReader stream_reader_;
};

}  // namespace detail

/// One consumer's end of a stream that several share; an input range. Resource, made by
/// `subscribe`.
template <class T>
class StreamSubscription {
 public:
  using value_type = T;
  using Iterator = ReceiveIterator<StreamSubscription>;

  /// For the runtime.
  explicit StreamSubscription(detail::StreamHub<T>& hub) noexcept : hub_(hub) { hub_.add(reader_); }
  StreamSubscription(const StreamSubscription&) = delete;
  StreamSubscription& operator=(const StreamSubscription&) = delete;
  ~StreamSubscription() { hub_.remove(reader_); }

  /// Receives the next value. Checkpoint. Throws as the stream's own `receive`.
  T receive() {
    std::optional<T> value = next();
    if (!value) hub_.throw_end();
    return *std::move(value);
  }
  /// Receives the next value; empty at the end. Checkpoint.
  std::optional<T> next() { return hub_.next(reader_); }
  /// Receives a value that is there; empty if there is none. Never waits.
  std::optional<T> try_receive() { return hub_.try_next(reader_); }
  /// Iterates over what comes, up to the end.
  Iterator begin() noexcept { return Iterator(*this); }
  /// The end.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  detail::StreamHub<T>& hub_;
  detail::HubReader reader_;
};

}  // namespace troupe

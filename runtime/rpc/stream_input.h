// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receiving half of a stream: values that have arrived and are not yet taken, those who wait
// for one, the credit that is granted for more, and the end.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/credit.h"
#include "troupe/runtime/rpc/stream_options.h"
#include "troupe/runtime/rpc/value_queue.h"

namespace troupe::detail {

class DialogEnd;

/// All of it that does not depend on the type of the values. Resource; belongs to the dialog's end
/// on the same task's stack.
class StreamInput {
 public:
  StreamInput() = default;
  StreamInput(const StreamInput&) = delete;
  StreamInput& operator=(const StreamInput&) = delete;
  virtual ~StreamInput() = default;

  /// The dialog whose values come here from now on.
  void attach(DialogEnd& end) noexcept;
  /// That dialog is gone; what has come from it can still be taken.
  void detach() noexcept { end_ = nullptr; }
  /// Asks the other side to end the dialog. Does nothing when it has ended.
  void request_end();
  /// What is granted at present.
  Window window() const noexcept { return window_.size(); }
  /// Sets how it buffers from now on.
  void configure(const StreamOptions& options);

  /// A value has come. Throws when the sender had no credit for it: the connection is to end.
  void accept(Bytes octets);
  /// Several have come: the payload of a frame `yields`. Throws likewise, and when it is malformed.
  void accept_several(BytesView octets);
  /// Nothing more comes; `error` (may be null) is what the receiver gets after the last value.
  void finish(std::exception_ptr error) noexcept;
  /// The same, when it is the dialog that has ended: what its error means may still be unknown.
  void finish_with_dialog(std::exception_ptr error) noexcept;
  /// Nobody receives any more: what has come and still comes is dropped.
  void abandon() noexcept;

  /// Whether nothing more comes.
  bool finished() const noexcept { return finished_; }
  /// Whether a value is there.
  bool has_value() const noexcept { return !values_.empty(); }
  /// The number of the first one, see `last_arrival`; there must be one.
  std::uint64_t first_arrival() noexcept { return values_.first_arrival(); }
  /// Whether nothing more comes, and all that has come was taken.
  bool drained() const noexcept { return finished_ && !has_value(); }
  /// Has `watcher` told of each value that comes, and of the end, until it is unlinked.
  void watch(ArrivalWatcher& watcher) noexcept { watchers_.add(watcher); }
  /// Whether its consumer knows that nothing more comes: it has read the end, or there never was
  /// anything to read.
  bool end_known() const noexcept { return finished_ && (end_seen_ || !any_came_); }
  /// A value of this cost was taken: grants more when it is time.
  void taken(std::uint64_t cost) {
    if (const std::optional<Window> grant = window_.taken(cost)) send_grant(*grant);
  }
  /// The consumer has come to the end: throws what ended the stream, if it was an error. May wait,
  /// shielded and bounded, to find out.
  void report_end();
  /// The same, or `EndOfChannel`.
  [[noreturn]] void throw_end();

 protected:
  /// Values have come: hands them to those who wait.
  virtual void serve() = 0;
  /// A value is none: it ends the stream, with this error for whoever receives next.
  void fail(std::exception_ptr error) noexcept;

  ValueQueue& values() noexcept { return values_; }
  void park(Parked& receiver) { receivers_.park(receiver, "ReceiveStream::receive"); }
  bool someone_waits() const noexcept { return !receivers_.empty(); }
  Parked& first_waiting() noexcept { return *receivers_.first(); }
  void wake_first() noexcept { receivers_.unpark_one(); }

 private:
  void send_grant(Window grant);
  void check_credit(std::size_t octets);
  bool admits_value();
  void arrived();
  void close() noexcept;
  void tell_watchers() noexcept;

  ValueQueue values_;
  ParkingLot receivers_;  // not empty: there are no values
  ArrivalWatchers watchers_;
  DialogEnd* end_ = nullptr;
  ReceiveWindow window_{default_window};
  std::size_t buffer_ = default_window.messages;
  Overrun overrun_ = Overrun::wait;
  bool finished_ = false;
  bool abandoned_ = false;
  bool any_came_ = false;
  bool end_seen_ = false;
  bool ended_with_dialog_ = false;
  std::exception_ptr failure_;
};

/// Values of type `T`.
template <class T>
class TypedInput final : public StreamInput {
 public:
  /// The next value; empty at the end. Checkpoint. Throws what ended the stream.
  std::optional<T> next() {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    if (has_value()) {
      std::optional<T> value(take());
      loop.spend();
      return value;
    }
    if (!finished()) {
      Receiver receiver;
      park(receiver);
      if (receiver.value) {
        taken(receiver.cost);
        return std::move(receiver.value);
      }
    }
    report_end();
    return std::nullopt;
  }
  /// A value that is there, or nothing. Never waits. Throws `MsgTypeError` when it is no `T`.
  std::optional<T> try_next() {
    if (!has_value()) return std::nullopt;
    return take();
  }
  /// Takes a value; there must be one. Never waits. Throws as `try_next`.
  T take() {
    const BytesView octets = values().front();
    const std::uint64_t cost = cost_of(octets.size());
    T value = decode(octets);
    values().pop(octets);
    taken(cost);
    return value;
  }

 private:
  struct Receiver : Parked {
    std::optional<T> value;
    std::uint64_t cost = 0;
  };

  // A value that does not decode is no fault of the connection: it ends the stream.
  T decode(BytesView octets) {
    try {
      return decode_message<T>(octets);
    } catch (...) {  // of a user's load function, too
      fail(std::current_exception());
    }
    throw_end();
  }
  // Those who wait are served in the order in which they came.
  void serve() override {
    while (has_value() && someone_waits()) {
      auto& receiver = static_cast<Receiver&>(first_waiting());
      const BytesView octets = values().front();
      try {
        receiver.value.emplace(decode_message<T>(octets));
      } catch (...) {  // whoever waits is woken by that, and told
        return fail(std::current_exception());
      }
      receiver.cost = cost_of(octets.size());
      values().pop(octets);
      wake_first();
    }
  }
};

}  // namespace troupe::detail

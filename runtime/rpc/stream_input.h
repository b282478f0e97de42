// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receiving half of a stream: values that have arrived and are not yet taken, the credit that
// is granted for more, and the end. Values are decoded as they come, straight from the message.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/credit.h"
#include "troupe/runtime/rpc/stream_options.h"

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

  /// A value has come. Throws when the sender had no credit for it: the connection is to end. A
  /// value that does not decode ends the stream, with an error for its receiver.
  void accept(BytesView octets);
  /// Nothing more comes; `error` (may be null) is what the receiver gets after the last value.
  void finish(std::exception_ptr error) noexcept;
  /// The same, when it is the dialog that has ended: what its error means may still be unknown.
  void finish_with_dialog(std::exception_ptr error) noexcept;
  /// Nobody receives any more: what has come and still comes is dropped.
  void abandon() noexcept;

  /// Whether nothing more comes.
  bool finished() const noexcept { return finished_; }
  /// Whether nothing more comes, and all that has come was taken.
  bool drained() const noexcept { return finished_ && buffered() == 0; }
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
  virtual std::size_t buffered() const noexcept = 0;
  virtual void put(BytesView octets, std::uint64_t cost) = 0;
  virtual void drop_oldest() = 0;
  virtual void close() noexcept = 0;

 private:
  void send_grant(Window grant);
  bool make_room();

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

/// A value, and the credit that it holds.
template <class T>
struct StreamItem {
  T value;
  std::uint64_t cost;
};

/// Values of type `T`.
template <class T>
class TypedInput final : public StreamInput {
 public:
  TypedInput() : TypedInput(open_memory_channel<StreamItem<T>>(unbounded)) {}

  /// The next value; empty at the end. Checkpoint. Throws what ended the stream.
  std::optional<T> next() {
    std::optional<StreamItem<T>> item = receive_.next();
    if (!item) {
      report_end();
      return std::nullopt;
    }
    taken(item->cost);
    return std::move(item->value);
  }
  /// A value that is there, or nothing. Never waits.
  std::optional<T> try_next() {
    std::optional<StreamItem<T>> item = receive_.try_receive();
    if (!item) return std::nullopt;
    taken(item->cost);
    return std::move(item->value);
  }
  /// The channel behind, for `merge`.
  ChannelState<StreamItem<T>>& state() const noexcept { return receive_.state(); }

 private:
  explicit TypedInput(MemoryChannel<StreamItem<T>> channel)
      : send_(std::move(channel.send)), receive_(std::move(channel.receive)) {}

  std::size_t buffered() const noexcept override {
    return receive_.state().statistics().current_buffer_used;
  }
  void put(BytesView octets, std::uint64_t cost) override {
    send_.try_send(StreamItem<T>{decode_message<T>(octets), cost});
  }
  void drop_oldest() override { static_cast<void>(receive_.try_receive()); }
  void close() noexcept override { send_.close(); }

  MemorySendChannel<StreamItem<T>> send_;
  MemoryReceiveChannel<StreamItem<T>> receive_;
};

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One end of a dialog: what the caller's and the callee's end have in common, which is the stream
// in both directions. A state machine over a `DialogPort`: frames in, frames out, no sockets and no
// clock. `OpenerEnd` and `CalleeEnd` add the beginning and the end.

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "troupe/ipc/dialog_port.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/rpc/codec.h"
#include "troupe/runtime/rpc/credit.h"
#include "troupe/runtime/rpc/scratch.h"

namespace troupe::detail {

class StreamInput;

/// Which side has cancelled a dialog first.
enum class CancelledFrom : std::uint8_t { nowhere, here, there };

/// One end. Resource; used on the loop only.
class DialogEnd : public DialogHandler {
 public:
  DialogEnd(const DialogEnd&) = delete;
  DialogEnd& operator=(const DialogEnd&) = delete;

  /// What the dialog is about, for messages: "the stream f in worker@1f3a9c02".
  virtual std::string what() const = 0;
  /// What the stream's receiver is to throw, when the dialog has ended with `failure`: what became
  /// of the peer, see `Peer::explain`. Waits, shielded, bounded.
  virtual std::exception_ptr explain(std::exception_ptr failure) { return failure; }
  /// Who is at the other end. Also after the dialog's end.
  const Uid& peer() const noexcept { return *peer_; }
  /// Who we are.
  const Uid& self() const noexcept { return *self_; }

  /// Whether the dialog goes on: neither end has finished it, and the connection stands.
  bool open() const noexcept { return port_ != nullptr; }

  /// Where the other side's values go. Lifetime: `input` must outlive this end.
  void attach(StreamInput& input) noexcept;
  /// Nobody receives any more: values that still come are dropped.
  void detach() noexcept;

  /// Sends one value of the stream: waits for credit, and for those who have waited longer.
  /// Checkpoint; when it throws, the value was not sent. Throws `BrokenChannel` when the other side
  /// receives no more, `ContextCancelled` when that is because this side has cancelled it, and
  /// `TransportClosed`, also in a task that is cancelled for that, when the callee has lost its
  /// caller.
  template <class T>
  void send_value(const T& value) {
    if (lost_ != nullptr) [[unlikely]]
      throw_broken();
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    {
      const Turn turn{*this};
      if (!may_send() || others_wait()) [[unlikely]]
        wait_until_may_send();
      ScratchBytes octets;
      encode_into(*octets, value);
      send_octets(*octets);
    }
    loop.spend();
  }
  /// Sends one value if there is credit for it and nobody waits for some; else returns false. Never
  /// waits. Throws as `send_value`.
  template <class T>
  bool try_send_value(const T& value) {
    if (!may_send() || others_wait()) {
      if (!can_ever_send()) throw_broken();
      return false;
    }
    ScratchBytes octets;
    encode_into(*octets, value);
    send_octets(*octets);
    return true;
  }

  /// The other side grants credit.
  void credit(Window more) noexcept;
  /// The receiving half grants more credit.
  void grant(Window more);
  /// Says that no more values come from here. Does nothing the second time.
  void stop_sending();
  /// The same, and that nobody receives here any more.
  void leave_stream();

  /// Asks the other side to end. Does nothing the second time, or at the end.
  void request_cancel();
  /// Whether this side has asked the other one to end.
  bool cancel_called() const noexcept { return cancel_called_; }
  /// Whether the other side has heard that.
  bool cancel_acked() const noexcept { return cancel_acked_.is_set(); }
  /// Set when the other side has heard our request to end, or the dialog has ended.
  Event& cancel_settled() noexcept { return cancel_acked_or_ended_; }
  /// Which side has asked the other one to end, before the dialog did; the first, if both.
  CancelledFrom cancelled_from() const noexcept { return cancelled_from_; }
  /// The `ContextCancelled` for those who go on here although this side has cancelled the dialog.
  /// One object, so that it is known again where it comes out.
  const std::exception_ptr& own_cancellation();
  /// Whether it is that object.
  bool is_own_cancellation(const std::exception_ptr& error) const noexcept {
    return error != nullptr && error == own_cancellation_;
  }

 protected:
  /// `port` is null when there is no connection any more.
  explicit DialogEnd(DialogPort* port);
  ~DialogEnd();

  DialogPort* port() const noexcept { return port_; }
  std::uint64_t id() const noexcept { return id_; }
  void set_id(std::uint64_t id) noexcept { id_ = id; }
  StreamInput* input() const noexcept { return input_; }
  /// Whether values have, or had, somewhere to go here.
  bool had_input() const noexcept { return had_input_; }

  /// Whether the other side may send values, and their end, by now.
  virtual bool expects_values() const noexcept = 0;
  /// Whether the other side may grant credit.
  virtual bool expects_credit() const noexcept = 0;
  /// Keeps a value; throws as `on_frame`.
  void on_large_frame(FrameKind kind, Bytes payload) override;
  /// Handles the frames of streams and the acknowledgement of a cancel; throws on others.
  void on_common_frame(FrameKind kind, BytesView payload);
  /// The dialog has ended: nothing is sent any more. `failure` (may be null) is what the stream's
  /// receiver gets. Unless the connection has ended, the caller tells it.
  void finish(std::exception_ptr failure) noexcept;

  /// The connection has ended, which is what the stream's sender and receiver get from now on.
  void lose(std::exception_ptr why) noexcept;
  /// Whether `error` is that.
  bool is_loss(const std::exception_ptr& error) const noexcept {
    return error != nullptr && error == lost_;
  }
  /// The port may be gone from now on: keeps who the two ends are.
  void keep_uids() noexcept;

  /// The other side asks this one to end: acknowledges that. Throws when it has asked before.
  void on_cancel_requested();
  virtual void on_cancel_acked() {}

 private:
  // Lets the next sender that waits have its turn, however this one's ends.
  struct Turn {
    DialogEnd& end;
    ~Turn() {
      if (!end.senders_.empty()) end.wake_next_sender();
    }
  };
  struct Sender : Parked {
    bool has_turn = false;
  };

  bool may_send() const noexcept {
    return credit_.available() && port_ != nullptr && !stopped_ && !must_wait_for_room() &&
           !peer_left_seen();
  }
  bool can_ever_send() const noexcept;
  bool must_wait_for_room() const noexcept {
    return credit_.is_unlimited() && port_->queued() > max_queued;
  }
  bool peer_left_seen() const noexcept;
  bool others_wait() const noexcept { return turn_given_ || waits_for_room_ || !senders_.empty(); }
  void wait_until_may_send();
  void park_sender();
  void wait_for_room();
  void wake_next_sender() noexcept;
  [[noreturn]] void throw_broken();
  [[noreturn]] void throw_out_of_place(FrameKind kind) const;
  void check_expects_value(FrameKind kind) const;
  void on_stop(BytesView payload);
  void send_octets(Bytes& octets);

  // A sender without a limit does not fill more than this of the connection's queue.
  static constexpr std::size_t max_queued = 1u << 20;

  DialogPort* port_;
  std::uint64_t id_ = 0;
  const Uid* peer_;  // the port's, or what is kept of them
  const Uid* self_;
  std::unique_ptr<std::pair<Uid, Uid>> kept_;
  StreamInput* input_ = nullptr;
  Credit credit_;
  ParkingLot senders_;           // who waits for credit, or for those who wait
  bool turn_given_ = false;      // the first of them was woken, and has not run yet
  bool waits_for_room_ = false;  // it has run, and waits for the network
  bool had_input_ = false;
  bool stopped_ = false;       // we have said that nothing more comes
  bool left_ = false;          // we have said that we do not receive any more
  bool peer_stopped_ = false;  // the other side has said the same
  bool peer_left_ = false;
  bool cancel_called_ = false;
  bool cancel_requested_ = false;  // by the other side
  CancelledFrom cancelled_from_ = CancelledFrom::nowhere;
  Event cancel_acked_;
  Event cancel_acked_or_ended_;
  std::exception_ptr own_cancellation_;
  std::exception_ptr lost_;
};

/// Appends a window, as it stands in the payloads of `start`, `started` and `credit`.
void put_window(Bytes& out, Window window);
/// Reads it. Throws `ShortRead`.
Window get_window(ByteReader& reader);

}  // namespace troupe::detail

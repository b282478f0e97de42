// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one end of a connection has yet to send, packed into messages. Two lanes keep their order
// each: urgent frames (start, cancel, credit, ...) go before data frames. Payloads above
// `max_small_payload` are cut into pieces, of which one goes with each message, so that everything
// else overtakes them; but what came before goes first, and what follows in the same dialog waits
// for its end. Private to the package.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "troupe/ipc/frame.h"
#include "troupe/ipc/limits.h"

namespace troupe {

/// A queue of encoded frames that is taken out in batches of bounded size.
class Outbox {
 public:
  /// Limits what the transfers of large payloads that are under way at once cost the peer (see
  /// `partial_cost`): further ones begin when others have ended. One may always be.
  void limit_transfers(std::uint64_t cost) noexcept { max_begun_ = cost; }

  /// Queues a frame. Small payloads are copied into the batch, large ones kept and cut.
  void push(FrameKind kind, std::uint64_t dialog, Bytes payload);
  /// The same for a payload that is copied in any case.
  void push_copy(FrameKind kind, std::uint64_t dialog, BytesView payload);
  /// Queues a value of a stream, which is copied: it joins the frame before it where that has
  /// values of the same dialog. Returns whether it needed a frame of its own.
  bool push_value(std::uint64_t dialog, BytesView octets);
  /// Queues a frame that goes out only when all the rest has gone.
  void push_last(FrameKind kind, BytesView payload = {});

  /// Whether there is nothing to send.
  bool empty() const noexcept { return queued_ == 0; }
  /// Octets that wait, without the headers of pieces.
  std::size_t queued() const noexcept { return queued_; }

  /// Octets of the next message; 0 when there is none. At most `max_message_size`.
  std::size_t batch_size() const noexcept;
  /// Writes the next message, exactly `batch_size()` octets, and forgets it.
  void take_batch(char* out);
  /// The same without a copy, where the message lies in one piece that is large enough to be worth
  /// it; else empty. For `give_buffer`.
  Bytes take_buffered();

  /// Forgets everything.
  void clear() noexcept;

 private:
  // Frames that go out in order, in chunks that are never larger than a piece with its header.
  class Lane {
   public:
    void push(FrameKind kind, std::uint64_t dialog, BytesView payload);
    bool push_value(std::uint64_t dialog, BytesView octets);
    std::size_t front_size() const noexcept {
      return full_.empty() ? tail_.size() : full_.front().size();
    }
    char* take_front(char* out) noexcept;
    Bytes take_front();
    bool is_last_chunk() const noexcept { return full_.empty(); }
    std::size_t chunks() const noexcept { return full_.size() + (tail_.empty() ? 0 : 1); }
    void clear() noexcept;

   private:
    void make_room(std::size_t octets);

    std::deque<Bytes> full_;
    Bytes tail_;
    std::uint64_t values_of_ = 0;   // the dialog whose values the last frame in `tail_` has, if any
    std::size_t values_frame_ = 0;  // where that frame begins
  };

  struct Waiting {
    FrameKind kind;
    Bytes payload;
  };

  // A large payload on its way, and the frames of its dialog that came after it.
  struct Transfer {
    FrameKind kind;
    std::uint64_t dialog;
    Bytes payload;
    std::size_t ahead;  // chunks of data that were queued before it
    std::size_t offset = 0;
    std::vector<Waiting> behind = {};
  };

  Lane& lane_of(FrameKind kind) noexcept;
  Transfer* find_transfer(std::uint64_t dialog) noexcept;
  void queue(FrameKind kind, std::uint64_t dialog, Bytes payload);
  bool fits(const Transfer& transfer) const noexcept;
  std::size_t next_transfer() const noexcept;
  std::size_t next_piece_size(std::size_t transfer) const noexcept;
  bool last_words_fit() const noexcept;
  void forget_data_chunk() noexcept;
  char* take_piece(char* out, std::size_t transfer);
  void finish_transfer(std::size_t transfer);

  Lane urgent_;
  Lane data_;
  std::deque<Transfer> transfers_;
  Bytes last_;
  std::size_t queued_ = 0;
  std::uint64_t begun_ = 0;  // what the transfers under way cost
  std::uint64_t max_begun_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace troupe

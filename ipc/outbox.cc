// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/outbox.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "troupe/ipc/buffers.h"

namespace troupe {

namespace {

constexpr std::size_t chunk_size = frame_header_size + max_small_payload;
static_assert(2 * chunk_size + frame_header_size + piece_header_size + piece_size <
              max_message_size);

constexpr bool is_urgent(FrameKind kind) noexcept {
  switch (kind) {
    case FrameKind::started:
    case FrameKind::yield:
    case FrameKind::yields:
    case FrameKind::stop:
    case FrameKind::ret:
    case FrameKind::error:
      return false;
    default:
      return true;
  }
}

// Whether a frame may pass a large payload of its own dialog. Nothing passes the start: the peer
// would not know of what it speaks.
constexpr bool overtakes(FrameKind kind, FrameKind transfer) noexcept {
  return is_urgent(kind) && kind != FrameKind::start && transfer != FrameKind::start;
}

}  // namespace

// While the network takes what it gets, a chunk stays within a buffer.
void Outbox::Lane::make_room(std::size_t octets) {
  const std::size_t size = tail_.size() + octets;
  if (tail_.empty() || size <= buffer_size) return;
  if (size <= chunk_size) return tail_.reserve(chunk_size);
  full_.push_back(std::exchange(tail_, take_buffer()));
  values_of_ = 0;
}

void Outbox::Lane::push(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  make_room(frame_header_size + payload.size());
  append_frame(tail_, kind, dialog, payload);
  values_of_ = 0;
}

bool Outbox::Lane::push_value(std::uint64_t dialog, BytesView octets) {
  make_room(frame_header_size + value_prefix_size(octets.size()) + octets.size());
  const bool opens = values_of_ != dialog;
  if (opens) {
    values_of_ = dialog;
    values_frame_ = tail_.size();
    append_frame(tail_, FrameKind::yields, dialog, {});
  }
  append_value(tail_, octets);
  set_frame_length(tail_.data() + values_frame_, tail_.size() - values_frame_ - frame_header_size);
  return opens;
}

char* Outbox::Lane::take_front(char* out) noexcept {
  Bytes& front = full_.empty() ? tail_ : full_.front();
  std::memcpy(out, front.data(), front.size());
  out += front.size();
  if (full_.empty()) {
    tail_.clear();  // keeps its memory for the next turn
    values_of_ = 0;
  } else {
    full_.pop_front();
  }
  return out;
}

Bytes Outbox::Lane::take_front() {
  if (full_.empty()) {
    values_of_ = 0;
    return std::exchange(tail_, take_buffer());
  }
  Bytes front = std::move(full_.front());
  full_.pop_front();
  return front;
}

void Outbox::Lane::clear() noexcept {
  full_.clear();
  tail_.clear();
  values_of_ = 0;
}

Outbox::Lane& Outbox::lane_of(FrameKind kind) noexcept { return is_urgent(kind) ? urgent_ : data_; }

Outbox::Transfer* Outbox::find_transfer(std::uint64_t dialog) noexcept {
  const auto found = std::ranges::find(transfers_, dialog, &Transfer::dialog);
  return found == transfers_.end() ? nullptr : &*found;
}

void Outbox::push(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  queued_ += frame_header_size + payload.size();
  if (!transfers_.empty()) {
    Transfer* transfer = find_transfer(dialog);
    if (transfer != nullptr && !overtakes(kind, transfer->kind)) {
      transfer->behind.push_back({kind, std::move(payload)});
      return;
    }
  }
  queue(kind, dialog, std::move(payload));
}

void Outbox::push_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  if (!transfers_.empty() || payload.size() > max_small_payload)
    return push(kind, dialog, Bytes(payload));
  queued_ += frame_header_size + payload.size();
  lane_of(kind).push(kind, dialog, payload);
}

bool Outbox::push_value(std::uint64_t dialog, BytesView octets) {
  const std::size_t size = value_prefix_size(octets.size()) + octets.size();
  if (!transfers_.empty() && find_transfer(dialog) != nullptr) {
    Bytes payload;
    append_value(payload, octets);
    push(FrameKind::yields, dialog, std::move(payload));
    return true;
  }
  const bool opens = data_.push_value(dialog, octets);
  queued_ += size + (opens ? frame_header_size : 0);
  return opens;
}

void Outbox::queue(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  if (payload.size() <= max_small_payload) {
    lane_of(kind).push(kind, dialog, payload);
  } else {
    transfers_.push_back({kind, dialog, std::move(payload), data_.chunks()});
  }
}

void Outbox::push_last(FrameKind kind, BytesView payload) {
  append_frame(last_, kind, 0, payload);
  queued_ += frame_header_size + payload.size();
}

// Whether the peer has room for one more.
bool Outbox::fits(const Transfer& transfer) const noexcept {
  return begun_ == 0 || begun_ + partial_cost(transfer.payload.size()) <= max_begun_;
}

// The first whose dialog's earlier frames are in the next message at the latest, and which is begun
// or fits; else as many as there are. None begins before another that waits for room, or that would
// wait for ever.
std::size_t Outbox::next_transfer() const noexcept {
  bool one_waits_for_room = false;
  for (std::size_t i = 0; i < transfers_.size(); ++i) {
    const Transfer& transfer = transfers_[i];
    if (transfer.ahead > 1) continue;
    if (transfer.offset > 0) return i;
    if (!one_waits_for_room && fits(transfer)) return i;
    one_waits_for_room = true;
  }
  return transfers_.size();
}

std::size_t Outbox::next_piece_size(std::size_t transfer) const noexcept {
  const Transfer& next = transfers_[transfer];
  return std::min(piece_size, next.payload.size() - next.offset);
}

// The last words go with the message that empties the rest. Pieces always mean that more may follow
// behind them.
bool Outbox::last_words_fit() const noexcept {
  return !last_.empty() && transfers_.empty() && urgent_.is_last_chunk() && data_.is_last_chunk();
}

std::size_t Outbox::batch_size() const noexcept {
  std::size_t size = urgent_.front_size() + data_.front_size();
  if (const std::size_t next = next_transfer(); next != transfers_.size())
    size += frame_header_size + piece_header_size + next_piece_size(next);
  if (last_words_fit()) size += last_.size();
  return size;
}

void Outbox::take_batch(char* out) {
  const bool with_last = last_words_fit();
  const std::size_t next = next_transfer();
  queued_ -= urgent_.front_size() + data_.front_size();
  out = urgent_.take_front(out);
  forget_data_chunk();
  out = data_.take_front(out);
  if (next != transfers_.size()) out = take_piece(out, next);
  if (with_last) {
    std::memcpy(out, last_.data(), last_.size());
    queued_ -= last_.size();
    last_.clear();
  }
}

Bytes Outbox::take_buffered() {
  const std::size_t size = data_.front_size();
  if (size < worth_a_buffer || size != batch_size()) return {};
  queued_ -= size;
  forget_data_chunk();
  return data_.take_front();
}

// The first one leaves.
void Outbox::forget_data_chunk() noexcept {
  for (Transfer& transfer : transfers_) transfer.ahead -= transfer.ahead == 0 ? 0 : 1;
}

char* Outbox::take_piece(char* out, std::size_t transfer) {
  Transfer& next = transfers_[transfer];
  const std::size_t size = next_piece_size(transfer);
  const BytesView octets = BytesView(next.payload).substr(next.offset, size);
  if (next.offset == 0) begun_ += partial_cost(next.payload.size());
  out = write_piece(out, next.kind, next.dialog, {next.payload.size(), next.offset, octets});
  next.offset += size;
  queued_ -= size;
  if (next.offset == next.payload.size()) {
    finish_transfer(transfer);
  } else if (transfer + 1 < transfers_.size()) {
    const auto at = transfers_.begin() + static_cast<std::ptrdiff_t>(transfer);
    std::rotate(at, at + 1, transfers_.end());
  }
  return out;
}

void Outbox::finish_transfer(std::size_t transfer) {
  const auto at = transfers_.begin() + static_cast<std::ptrdiff_t>(transfer);
  Transfer done = std::move(*at);
  transfers_.erase(at);
  queued_ -= frame_header_size;
  begun_ -= partial_cost(done.payload.size());
  // The frames behind are counted already; those behind a second large one must stay behind it.
  for (Waiting& waiting : done.behind) {
    queued_ -= frame_header_size + waiting.payload.size();
    push(waiting.kind, done.dialog, std::move(waiting.payload));
  }
}

void Outbox::clear() noexcept {
  urgent_.clear();
  data_.clear();
  transfers_.clear();
  last_.clear();
  queued_ = 0;
  begun_ = 0;
}

}  // namespace troupe

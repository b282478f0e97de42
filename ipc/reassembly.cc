// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/reassembly.h"

#include <utility>

namespace troupe {

Reassembly::Partial& Reassembly::begin(const FrameView& frame, const Piece& piece) {
  if (piece.offset != 0) throw ProtocolViolation("a payload whose first piece is missing");
  if (piece.total > limits_.max_payload) {
    throw ProtocolViolation("a payload of " + std::to_string(piece.total) +
                            " octets, where at most " + std::to_string(limits_.max_payload) +
                            " are taken");
  }
  if (partial_cost(piece.total) > limits_.max_partial - promised_) {
    throw ProtocolViolation("payloads of more than " + std::to_string(limits_.max_partial) +
                            " octets on their way at once");
  }
  Partial& partial = partials_[frame.dialog];
  partial.kind = frame.kind;
  partial.total = piece.total;
  partial.payload.reserve(piece.total);
  promised_ += partial_cost(piece.total);
  return partial;
}

std::optional<Bytes> Reassembly::add(const FrameView& frame) {
  const Piece piece = parse_piece(frame.payload);
  const auto found = partials_.find(frame.dialog);
  Partial& partial = found == partials_.end() ? begin(frame, piece) : found->second;
  if (partial.kind != frame.kind || partial.total != piece.total ||
      partial.payload.size() != piece.offset) {
    throw ProtocolViolation("a piece that does not continue the one before");
  }
  partial.payload.append(piece.octets);
  if (partial.payload.size() < partial.total) return std::nullopt;
  Bytes whole = std::move(partial.payload);
  forget(frame.dialog);
  return whole;
}

void Reassembly::forget(std::uint64_t dialog) noexcept {
  const auto found = partials_.find(dialog);
  if (found == partials_.end()) return;
  promised_ -= partial_cost(found->second.total);
  partials_.erase(found);
}

}  // namespace troupe

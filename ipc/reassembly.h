// SPDX-License-Identifier: Apache-2.0
#pragma once

// Large payloads on their way in: pieces are put together until the whole is there. Pieces of one
// dialog come in order, those of several dialogs in turn. Private to the package.

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "troupe/ipc/frame.h"
#include "troupe/ipc/limits.h"

namespace troupe {

/// Payloads that have arrived in part, within the limits of one connection.
class Reassembly {
 public:
  explicit Reassembly(const Limits& limits) : limits_(limits) {}

  /// Adds the piece in `frame` and returns the whole payload if that was the last one. Throws
  /// `ProtocolViolation` on a gap, on a change of mind about kind or size, and beyond the limits.
  std::optional<Bytes> add(const FrameView& frame);

  /// Drops what has arrived for a dialog.
  void forget(std::uint64_t dialog) noexcept;

  /// How many payloads are incomplete.
  std::size_t count() const noexcept { return partials_.size(); }

 private:
  struct Partial {
    FrameKind kind;
    std::uint64_t total;
    Bytes payload;
  };

  Partial& begin(const FrameView& frame, const Piece& piece);

  Limits limits_;
  std::unordered_map<std::uint64_t, Partial> partials_;
  std::uint64_t promised_ = 0;  // what all the wholes cost
};

}  // namespace troupe

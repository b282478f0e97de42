// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames and their octets. A transport message is any number of frames, one after the other, each a
// header of 16 octets and its payload. What the frames mean is told in PROTOCOL.md; here they are
// only packed and unpacked.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/error.h"

namespace troupe {

/// What a frame says. The numbers are the wire's.
enum class FrameKind : std::uint8_t {
  hello = 1,   ///< Connector: who I am, what I speak, a nonce.
  welcome,     ///< Acceptor: who I am, a nonce, and the proof that I hold the key.
  proof,       ///< Connector: the proof that I hold the key too.
  refuse,      ///< Either: I end this connection, for this reason.
  start,       ///< Opens a dialog.
  started,     ///< The callee's first word to the opener.
  yield,       ///< One value of a stream, either way.
  yields,      ///< Several small ones.
  stop,        ///< No more values from me.
  ret,         ///< The callee's result; its last frame.
  error,       ///< The callee's error; its last frame.
  cancel,      ///< Please end this dialog.
  cancel_ack,  ///< I have heard the request.
  credit,      ///< You may send more values.
  ping,        ///< Answer me.
  pong,        ///< The answer.
  bye,         ///< I am leaving; everything I had to say came before this.
  bye_ack,     ///< I have read everything up to your bye.
};

/// The name of a kind: "start"; "unknown" for a number that is none.
const char* to_string(FrameKind kind) noexcept;

/// Whether a frame of this kind belongs to a dialog (and not to the connection as such).
constexpr bool is_dialog_kind(FrameKind kind) noexcept {
  return kind >= FrameKind::start && kind <= FrameKind::credit;
}

/// A frame that owns its payload.
struct Frame {
  FrameKind kind{};          ///< What it says.
  std::uint64_t dialog = 0;  ///< Which dialog it belongs to; 0: to the connection.
  Bytes payload;             ///< What goes with it.

  friend bool operator==(const Frame&, const Frame&) = default;
};

/// A frame that borrows its payload from the message it came in.
struct FrameView {
  FrameKind kind{};          ///< What it says.
  bool is_piece = false;     ///< The payload is one piece of a larger one; see `Piece`.
  std::uint64_t dialog = 0;  ///< Which dialog it belongs to; 0: to the connection.
  BytesView payload;         ///< Lives as long as the message.
};

/// One piece of a payload that was too large for one frame.
struct Piece {
  std::uint64_t total = 0;   ///< Octets of the whole.
  std::uint64_t offset = 0;  ///< Where this piece belongs.
  BytesView octets;          ///< What stands there.
};

/// Octets of a frame's header.
inline constexpr std::size_t frame_header_size = 16;
/// Octets of what precedes the octets of a piece.
inline constexpr std::size_t piece_header_size = 16;

/// The peer sent what the protocol does not allow. Ends the connection; never leaves this package.
class ProtocolViolation : public Error {
 public:
  using Error::Error;
};

/// Appends one whole frame to `out`.
void append_frame(Bytes& out, FrameKind kind, std::uint64_t dialog, BytesView payload);

/// Says in the header of a frame that its payload has so many octets.
void set_frame_length(char* frame, std::size_t octets) noexcept;

/// Writes a frame that carries one piece to `out`, which has room for both headers and the octets;
/// returns the end.
char* write_piece(char* out, FrameKind kind, std::uint64_t dialog, const Piece& piece) noexcept;

/// Unpacks the payload of a frame with `is_piece`. Throws `ProtocolViolation` when it is malformed.
Piece parse_piece(BytesView payload);

/// Appends one value to the payload of a frame `yields`: its length, seven bits to an octet, the
/// least first, and then its octets.
void append_value(Bytes& out, BytesView octets);

/// The octets that `append_value` takes for the length of so many octets.
constexpr std::size_t value_prefix_size(std::size_t octets) noexcept {
  std::size_t size = 1;
  for (; octets >= 0x80; octets >>= 7) ++size;
  return size;
}

/// Takes the next value from the payload of a frame `yields`; empty when it is not all there.
/// Lifetime: that of the payload.
inline std::optional<BytesView> take_value(BytesView& rest) noexcept {
  std::size_t length = 0;
  std::size_t at = 0;
  for (unsigned shift = 0; shift <= 28; shift += 7) {
    if (at == rest.size()) return std::nullopt;
    const auto octet = static_cast<std::uint8_t>(rest[at++]);
    length |= static_cast<std::size_t>(octet & 0x7f) << shift;
    if (octet < 0x80) {
      if (length > rest.size() - at) return std::nullopt;
      const BytesView value = rest.substr(at, length);
      rest.remove_prefix(at + length);
      return value;
    }
  }
  return std::nullopt;
}

/// Goes through the frames of one message. Lifetime: the message must outlive the frames.
class FrameReader {
 public:
  explicit FrameReader(BytesView message) noexcept : rest_(message) {}

  /// Gets the next frame; false at the end. Throws `ProtocolViolation` when the octets are no
  /// frame.
  bool next(FrameView& frame);

 private:
  BytesView rest_;
};

}  // namespace troupe

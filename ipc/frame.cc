// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/frame.h"

#include <cstddef>
#include <cstring>
#include <string>

namespace troupe {

namespace {

constexpr std::uint8_t piece_flag = 1;

// The header as it lies in memory and on the wire: both are little-endian (bytes.h asserts it).
struct Header {
  std::uint32_t length;
  std::uint8_t kind;
  std::uint8_t flags;
  std::uint16_t zero;
  std::uint64_t dialog;
};
static_assert(sizeof(Header) == frame_header_size);

Header make_header(FrameKind kind, std::uint8_t flags, std::uint64_t dialog,
                   std::size_t length) noexcept {
  return {static_cast<std::uint32_t>(length), static_cast<std::uint8_t>(kind), flags, 0, dialog};
}

char* write(char* out, const void* from, std::size_t size) noexcept {
  std::memcpy(out, from, size);
  return out + size;
}

void check_header(const Header& header, std::size_t left) {
  if (header.length > left) {
    throw ProtocolViolation("a frame announces " + std::to_string(header.length) +
                            " octets, but only " + std::to_string(left) +
                            " are left in its message");
  }
  if (header.kind < static_cast<std::uint8_t>(FrameKind::hello) ||
      header.kind > static_cast<std::uint8_t>(FrameKind::bye_ack)) {
    throw ProtocolViolation("a frame of the unknown kind " + std::to_string(header.kind));
  }
  if ((header.flags & ~piece_flag) != 0 || header.zero != 0) {
    throw ProtocolViolation("a frame with reserved bits set");
  }
  const auto kind = static_cast<FrameKind>(header.kind);
  if (is_dialog_kind(kind) == (header.dialog == 0)) {
    throw ProtocolViolation(std::string("a ") + to_string(kind) + " frame with dialog " +
                            std::to_string(header.dialog));
  }
  if ((header.flags & piece_flag) != 0 && !is_dialog_kind(kind)) {
    throw ProtocolViolation(std::string("a ") + to_string(kind) + " frame in pieces");
  }
}

}  // namespace

const char* to_string(FrameKind kind) noexcept {
  static constexpr const char* names[] = {"hello",   "welcome", "proof",      "refuse", "start",
                                          "started", "yield",   "yields",     "stop",   "ret",
                                          "error",   "cancel",  "cancel_ack", "credit", "ping",
                                          "pong",    "bye",     "bye_ack"};
  const auto index = static_cast<std::size_t>(kind) - 1;
  return index < std::size(names) ? names[index] : "unknown";
}

void append_frame(Bytes& out, FrameKind kind, std::uint64_t dialog, BytesView payload) {
  const Header header = make_header(kind, 0, dialog, payload.size());
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(payload);
}

void set_frame_length(char* frame, std::size_t octets) noexcept {
  const auto length = static_cast<std::uint32_t>(octets);
  std::memcpy(frame + offsetof(Header, length), &length, sizeof length);
}

void append_value(Bytes& out, BytesView octets) {
  std::size_t length = octets.size();
  for (; length >= 0x80; length >>= 7) out.push_back(static_cast<char>(length | 0x80));
  out.push_back(static_cast<char>(length));
  out.append(octets);
}

char* write_piece(char* out, FrameKind kind, std::uint64_t dialog, const Piece& piece) noexcept {
  const Header header =
      make_header(kind, piece_flag, dialog, piece_header_size + piece.octets.size());
  out = write(out, &header, sizeof header);
  out = write(out, &piece.total, sizeof piece.total);
  out = write(out, &piece.offset, sizeof piece.offset);
  return write(out, piece.octets.data(), piece.octets.size());
}

Piece parse_piece(BytesView payload) {
  if (payload.size() <= piece_header_size) throw ProtocolViolation("a piece without octets");
  Piece piece;
  std::memcpy(&piece.total, payload.data(), sizeof piece.total);
  std::memcpy(&piece.offset, payload.data() + sizeof piece.total, sizeof piece.offset);
  piece.octets = payload.substr(piece_header_size);
  if (piece.offset > piece.total || piece.octets.size() > piece.total - piece.offset) {
    throw ProtocolViolation("a piece that reaches beyond its whole");
  }
  return piece;
}

bool FrameReader::next(FrameView& frame) {
  if (rest_.empty()) return false;
  if (rest_.size() < frame_header_size) {
    throw ProtocolViolation("a message ends with " + std::to_string(rest_.size()) +
                            " octets that are no frame");
  }
  Header header;
  std::memcpy(&header, rest_.data(), sizeof header);
  rest_.remove_prefix(sizeof header);
  check_header(header, rest_.size());
  frame.kind = static_cast<FrameKind>(header.kind);
  frame.is_piece = (header.flags & piece_flag) != 0;
  frame.dialog = header.dialog;
  frame.payload = rest_.substr(0, header.length);
  rest_.remove_prefix(header.length);
  return true;
}

}  // namespace troupe

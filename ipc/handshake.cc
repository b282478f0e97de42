// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/handshake.h"

#include <algorithm>

#include "troupe/ipc/address.h"
#include "troupe/ipc/frame.h"

namespace troupe {

namespace {

// The first octet is no text and no valid start of UTF-8, and the line end shows a transport that
// mangles octets.
constexpr BytesView magic("\x89troupe\n", 8);
constexpr std::size_t max_text = 512;
constexpr std::size_t max_extensions = 1024;

void put_end(Bytes& out, const EndInfo& end) {
  put_string(out, end.uid.name);
  put_string(out, end.uid.uuid);
  put_string(out, end.address);
  put_string(out, end.build_id);
  put_u32(out, end.pid);
  put_u64(out, end.max_payload);
  put_u32(out, end.max_dialogs);
  put_string(out, {});  // extensions: none in this version
}

EndInfo read_end(ByteReader& in) {
  EndInfo end;
  end.uid.name = in.string(max_text);
  end.uid.uuid = in.string(max_text);
  end.address = in.string(max_text);
  end.build_id = in.string(max_text);
  end.pid = in.u32();
  end.max_payload = in.u64();
  end.max_dialogs = in.u32();
  in.string(max_extensions);
  if (const std::string fault = name_fault(end.uid.name); !fault.empty()) {
    throw ProtocolViolation("the peer's name cannot be: " + fault);
  }
  if (!is_uuid(end.uid.uuid)) throw ProtocolViolation("the peer's uuid is none");
  try {
    if (!end.address.empty()) Address::parse(end.address);
  } catch (const UsageError& error) {
    throw ProtocolViolation(std::string("the peer's address cannot be: ") + error.what());
  }
  return end;
}

template <std::size_t n>
std::array<char, n> read_array(ByteReader& in) {
  std::array<char, n> octets;
  std::ranges::copy(in.take(n), octets.begin());
  return octets;
}

// Runs a parser that must use up its octets; its complaints become violations that say which frame
// was bad.
template <class Parser>
auto parse_whole(const char* what, BytesView octets, Parser&& parser) {
  try {
    ByteReader in(octets);
    auto value = parser(in);
    if (in.left() != 0) throw ProtocolViolation("octets too many");
    return value;
  } catch (const Error& error) {
    throw ProtocolViolation(std::string("a malformed ") + what + ": " + error.what());
  }
}

VersionRange read_versions(ByteReader& in) {
  if (in.take(std::min(in.left(), magic.size())) != magic) {
    throw ProtocolViolation("it does not begin as a troupe program does");
  }
  const std::uint16_t min = in.u16();
  return {min, in.u16()};
}

}  // namespace

Bytes encode_hello(const Hello& hello) {
  Bytes out(magic);
  put_u16(out, hello.versions.min);
  put_u16(out, hello.versions.max);
  out.append(as_bytes(hello.key));
  out.append(as_bytes(hello.nonce));
  put_string(out, hello.dialed);
  put_end(out, hello.self);
  return out;
}

Bytes encode_welcome(const Welcome& welcome) {
  Bytes out(magic);
  put_u16(out, welcome.version);
  out.append(as_bytes(welcome.nonce));
  put_end(out, welcome.self);
  return out;
}

VersionRange parse_hello_versions(BytesView octets) {
  try {
    ByteReader in(octets);
    return read_versions(in);
  } catch (const ShortRead&) {
    throw ProtocolViolation("it does not begin as a troupe program does");
  }
}

Hello parse_hello(BytesView octets) {
  return parse_whole("hello", octets, [](ByteReader& in) {
    Hello hello;
    hello.versions = read_versions(in);
    hello.key = read_array<std::tuple_size_v<Fingerprint>>(in);
    hello.nonce = read_array<std::tuple_size_v<Nonce>>(in);
    hello.dialed = in.string(max_text);
    hello.self = read_end(in);
    return hello;
  });
}

Welcome parse_welcome(BytesView octets) {
  return parse_whole("welcome", octets, [](ByteReader& in) {
    if (in.take(std::min(in.left(), magic.size())) != magic) {
      throw ProtocolViolation("it does not begin as a troupe program's does");
    }
    Welcome welcome;
    welcome.version = in.u16();
    welcome.nonce = read_array<std::tuple_size_v<Nonce>>(in);
    welcome.self = read_end(in);
    return welcome;
  });
}

}  // namespace troupe

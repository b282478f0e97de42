// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where an actor listens: "ipc:///path/of/a/socket" on this host, "tcp://host:port" between hosts.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// A checked address. A value: comparable, hashable, printable. The default one is empty and names
/// nothing.
class Address {
 public:
  /// The kinds of transport.
  enum class Kind : std::uint8_t { none, ipc, tcp };

  /// The longest path of a Unix socket, without the terminating zero.
  static constexpr std::size_t max_path = 107;

  Address() = default;

  /// Parses "ipc:///absolute/path" (at most `max_path` octets) or "tcp://host:port" (host: name,
  /// IPv4, `[IPv6]`, or `*` to bind to all; port: a number, or `*` or 0 to bind to a free one).
  /// Throws `UsageError` with a sentence.
  static Address parse(std::string_view text);

  /// "tcp://host:port", or "tcp://[host]:port" for IPv6. Throws `UsageError` as `parse` does.
  static Address tcp(const std::string& host, std::uint16_t port);

  /// The text, as `parse` takes it.
  const std::string& str() const noexcept { return text_; }
  /// Which transport it names.
  Kind kind() const noexcept { return kind_; }
  /// Whether it names nothing.
  bool empty() const noexcept { return kind_ == Kind::none; }

  /// The socket's path; empty unless `ipc`.
  std::string path() const;
  /// The host, without the brackets of an IPv6 one; empty unless `tcp`.
  std::string host() const;
  /// The port; 0 for `*`, and unless `tcp`.
  std::uint16_t port() const;

  /// Whether only processes of this host can reach it: every `ipc` one, and `tcp` at 127.0.0.0/8,
  /// ::1 or localhost.
  bool is_local() const;
  /// Whether it can only be bound, not connected to: a wildcard host or port.
  bool is_wildcard() const;

  friend bool operator==(const Address&, const Address&) = default;
  friend std::strong_ordering operator<=>(const Address&, const Address&) = default;

 private:
  Kind kind_ = Kind::none;
  std::string text_;
};

/// Prints `str()`. A template, so that this header needs no streams.
template <class Stream>
requires requires(Stream& stream, const std::string& text) { stream << text; }
Stream& operator<<(Stream& stream, const Address& address) {
  stream << address.str();
  return stream;
}

}  // namespace troupe

template <>
struct std::hash<troupe::Address> {
  std::size_t operator()(const troupe::Address& address) const noexcept {
    return std::hash<std::string>{}(address.str());
  }
};

// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/address.h"

#include <charconv>

#include "troupe/ipc/text.h"
#include "troupe/runtime/base/error.h"

namespace troupe {

namespace {

constexpr std::string_view ipc_scheme = "ipc://";
constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
constexpr std::string_view ipv6_characters = "0123456789abcdefABCDEF:.";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw UsageError("\"" + printable(text, 200) + "\" is no address: " + why +
                   "; write \"ipc:///absolute/path\" or \"tcp://host:port\"");
}

// Where the host ends and the port begins.
std::size_t port_colon(std::string_view rest) { return rest.rfind(':'); }

void check_path(std::string_view text, std::string_view path) {
  if (path.empty() || path.front() != '/') refuse(text, "the path of the socket must be absolute");
  if (path.size() > Address::max_path) {
    refuse(text, "the path has " + std::to_string(path.size()) +
                     " octets, and a Unix socket takes at most " +
                     std::to_string(Address::max_path));
  }
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20) refuse(text, "the path has control characters");
  }
  if (!is_utf8(path)) refuse(text, "the path is no valid UTF-8");
}

void check_host(std::string_view text, std::string_view host) {
  if (host.empty()) refuse(text, "the host is missing");
  if (host == "*") return;
  const bool bracketed = host.front() == '[';
  if (bracketed && (host.size() < 4 || host.back() != ']'))
    refuse(text, "the IPv6 host lacks its ']'");
  const std::string_view inner = bracketed ? host.substr(1, host.size() - 2) : host;
  const std::string_view allowed = bracketed ? ipv6_characters : name_characters;
  if (inner.find_first_not_of(allowed) != std::string_view::npos || inner.size() > 253) {
    refuse(text, "the host has characters that no host name has");
  }
}

void check_port(std::string_view text, std::string_view port) {
  if (port == "*") return;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc{} || end != port.data() + port.size() || value > 65535) {
    refuse(text, "the port is no number from 0 to 65535 (or *)");
  }
}

}  // namespace

Address Address::parse(std::string_view text) {
  Address address;
  if (text.starts_with(ipc_scheme)) {
    check_path(text, text.substr(ipc_scheme.size()));
    address.kind_ = Kind::ipc;
  } else if (text.starts_with(tcp_scheme)) {
    const std::string_view rest = text.substr(tcp_scheme.size());
    const std::size_t colon = port_colon(rest);
    if (colon == std::string_view::npos) refuse(text, "the port is missing");
    check_host(text, rest.substr(0, colon));
    check_port(text, rest.substr(colon + 1));
    address.kind_ = Kind::tcp;
  } else {
    refuse(text, "it begins with neither ipc:// nor tcp://");
  }
  address.text_ = text;
  return address;
}

Address Address::tcp(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return parse("tcp://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port));
}

std::string Address::path() const {
  return kind_ == Kind::ipc ? text_.substr(ipc_scheme.size()) : std::string();
}

std::string Address::host() const {
  if (kind_ != Kind::tcp) return {};
  const std::string_view rest = std::string_view(text_).substr(tcp_scheme.size());
  std::string_view host = rest.substr(0, port_colon(rest));
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  return std::string(host);
}

std::uint16_t Address::port() const {
  if (kind_ != Kind::tcp) return 0;
  const std::string_view digits = std::string_view(text_).substr(text_.rfind(':') + 1);
  std::uint16_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool Address::is_local() const {
  if (kind_ == Kind::ipc) return true;
  const std::string name = host();
  if (name == "localhost" || name == "::1") return true;
  // "127.evil.example" is a name, not an address of the loopback.
  return name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string::npos;
}

bool Address::is_wildcard() const {
  if (kind_ != Kind::tcp) return false;
  const std::string name = host();
  return port() == 0 || name == "*" || name == "0.0.0.0" || name == "::";
}

}  // namespace troupe

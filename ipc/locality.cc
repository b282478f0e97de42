// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/locality.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

namespace {

std::string read_line(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text;
  const ssize_t size = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  std::string line(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (line.ends_with('\n')) line.pop_back();
  return line;
}

std::string read_link(const char* path) {
  std::array<char, 128> text;
  const ssize_t size = ::readlink(path, text.data(), text.size());
  return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string make_this_host() {
  std::string boot = read_line("/proc/sys/kernel/random/boot_id");
  if (boot.empty()) boot = host_name();
  return boot + "/" + read_link("/proc/self/ns/net");
}

std::string_view machine_of(std::string_view host) { return host.substr(0, host.find('/')); }

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

enum Distance { same_machine, loopback, network, out_of_reach };

Distance distance(const Address& address, const std::string& host) {
  if (address.empty() || address.is_wildcard()) return out_of_reach;
  if (address.kind() == Address::Kind::ipc) {
    // The file is looked for as well: another container has other files.
    const bool here = host.empty() || machine_of(host) == machine_of(this_host());
    return here && is_socket(address.path()) ? same_machine : out_of_reach;
  }
  if (!address.is_local()) return network;
  return host.empty() || host == this_host() ? loopback : out_of_reach;
}

// The numeric form of a socket address; empty unless it is IPv4 or IPv6.
std::string numeric(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* host = nullptr;
  if (address->sa_family == AF_INET) {
    host = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    host = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  }
  if (host == nullptr) return {};
  ::inet_ntop(address->sa_family, host, text.data(), text.size());
  return text.data();
}

using Interfaces = std::unique_ptr<ifaddrs, void (*)(ifaddrs*)>;

Interfaces interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) list = nullptr;
  return {list, ::freeifaddrs};
}

}  // namespace

const std::string& this_host() {
  static const std::string host = make_this_host();
  return host;
}

std::vector<Address> nearest_first(const std::vector<Address>& addresses, const std::string& host) {
  std::vector<std::pair<Distance, Address>> found;
  for (const Address& address : addresses) {
    const Distance far = distance(address, host);
    if (far != out_of_reach) found.emplace_back(far, address);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Address> sorted;
  for (auto& [far, address] : found) sorted.push_back(std::move(address));
  return sorted;
}

std::vector<Address> connectable(const Address& bound) {
  if (!bound.is_wildcard()) return {bound};
  if (bound.port() == 0) return {};
  const int family = bound.host() == "::" ? AF_INET6 : AF_INET;
  std::vector<Address> found;
  const Interfaces all = interfaces();
  for (const ifaddrs* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != family) continue;
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    const std::string host = numeric(entry->ifa_addr);
    if (host.starts_with("fe80:")) continue;  // means nothing without the name of an interface
    found.push_back(Address::tcp(host, bound.port()));
  }
  return found;
}

// A datagram socket that is connected says nothing yet, but knows which way it would.
std::string interface_towards(const Address& remote) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(remote.host().c_str(), "9", &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(list, ::freeaddrinfo);
  for (const addrinfo* entry = all.get(); entry != nullptr; entry = entry->ai_next) {
    const UniqueFd fd(::socket(entry->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (fd && ::connect(fd.get(), entry->ai_addr, entry->ai_addrlen) == 0 &&
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0) {
      return numeric(reinterpret_cast<const sockaddr*>(&own));
    }
  }
  return {};
}

}  // namespace troupe

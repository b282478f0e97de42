// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/zygote_protocol.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "troupe/runtime/fiber/fd_wait.h"

namespace troupe::detail {

namespace {

constexpr std::size_t max_descriptors = 4;
// More than the kernel lets a process have.
constexpr std::size_t max_request = std::size_t{64} << 20;

union ControlBuffer {
  cmsghdr alignment;
  char octets[CMSG_SPACE(max_descriptors * sizeof(int))];
};

Bytes encode(const ZygoteRequest& request) {
  Bytes body;
  put_u32(body, request.id);
  put_u32(body, static_cast<std::uint32_t>(request.environment.size()));
  for (const std::string& entry : request.environment) put_string(body, entry);
  Bytes message;
  put_string(message, body);
  return message;
}

void decode(BytesView body, ZygoteRequest& request) {
  ByteReader reader(body);
  request.id = reader.u32();
  request.environment.resize(reader.u32());
  for (std::string& entry : request.environment) entry = reader.string(max_request);
}

ssize_t send_part(int control, BytesView part, std::span<const int> descriptors) {
  iovec octets{const_cast<char*>(part.data()), part.size()};
  ControlBuffer buffer{};
  msghdr message{};
  message.msg_iov = &octets;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = buffer.octets;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void take_descriptors(msghdr& message, std::vector<UniqueFd>& descriptors) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
}

// Reads all of it, with the descriptors that come along; false at the end of the stream.
bool receive_all(int control, char* data, std::size_t size, std::vector<UniqueFd>& descriptors) {
  while (size > 0) {
    iovec octets{data, size};
    ControlBuffer buffer{};
    msghdr message{};
    message.msg_iov = &octets;
    message.msg_iovlen = 1;
    message.msg_control = buffer.octets;
    message.msg_controllen = sizeof buffer;
    const ssize_t got = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    take_descriptors(message, descriptors);
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

bool send_request(int control, const ZygoteRequest& request, std::span<const int> descriptors) {
  const Bytes message = encode(request);
  for (BytesView rest = message; !rest.empty();) {
    const ssize_t sent = send_part(control, rest, descriptors);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      descriptors = {};  // they went with the first octet
    } else if (sent < 0 && errno == EAGAIN) {
      wait_writable(control);
    } else if (sent < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

// An answer comes whole: it was sent by one call, and all are of one size.
bool receive_answer(int control, ZygoteAnswer& answer) {
  for (;;) {
    ZygoteAnswer next;
    const ssize_t got = ::recv(control, &next, sizeof next, MSG_DONTWAIT);
    if (got == static_cast<ssize_t>(sizeof next)) {
      if (next.id != answer.id) continue;
      answer = next;
      if (next.from_child == 0) return true;
    } else if (got < 0 && errno == EAGAIN) {
      wait_readable(control);
    } else if (got >= 0 || errno != EINTR) {
      return false;
    }
  }
}

std::optional<ZygoteRequest> receive_request(int control) {
  ZygoteRequest request;
  std::uint32_t size = 0;
  if (!receive_all(control, reinterpret_cast<char*>(&size), sizeof size, request.descriptors)) {
    return std::nullopt;
  }
  if (size > max_request) return std::nullopt;
  Bytes body(size, '\0');
  if (!receive_all(control, body.data(), body.size(), request.descriptors)) return std::nullopt;
  decode(body, request);
  return request;
}

void send_answer(int control, const ZygoteAnswer& answer) noexcept {
  while (::send(control, &answer, sizeof answer, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

}  // namespace troupe::detail

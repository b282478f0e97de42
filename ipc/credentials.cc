// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/credentials.h"

#include <sys/socket.h>

namespace troupe {

std::optional<PeerCredentials> credentials_of(int fd) noexcept {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return {};
  ucred peer{};
  size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return PeerCredentials{peer.pid, peer.uid, peer.gid};
}

}  // namespace troupe

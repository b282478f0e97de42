// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is at the other end of a Unix socket, as the kernel says: unlike what the peer tells of
// itself this cannot be made up.

#include <sys/types.h>

#include <optional>

namespace troupe {

/// The process that made a connection, at the time it did. A value.
struct PeerCredentials {
  pid_t pid = 0;  ///< 0 when it cannot be seen from here (another container).
  uid_t uid = 0;
  gid_t gid = 0;

  friend bool operator==(const PeerCredentials&, const PeerCredentials&) = default;
};

/// Asks the kernel about a socket; none unless it is a Unix socket.
std::optional<PeerCredentials> credentials_of(int fd) noexcept;

}  // namespace troupe

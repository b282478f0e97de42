// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/write_all.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace troupe {

int write_all(int fd, std::string_view octets) noexcept {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace troupe

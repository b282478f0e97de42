// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/pidfd.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace troupe::detail {

UniqueFd open_pidfd(pid_t pid) noexcept {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int send_signal_to(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

bool ends_within(int pidfd, std::chrono::milliseconds limit) noexcept {
  if (pidfd < 0) return false;
  pollfd look{pidfd, POLLIN, 0};
  int ready;
  do {
    ready = ::poll(&look, 1, static_cast<int>(limit.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace troupe::detail

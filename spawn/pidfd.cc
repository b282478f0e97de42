// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/pidfd.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::detail {

UniqueFd open_pidfd(pid_t pid) noexcept {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int send_signal_to(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

bool ends_within(int pidfd, std::chrono::milliseconds limit) noexcept {
  pollfd look{pidfd, POLLIN, 0};
  return pidfd >= 0 && ::poll(&look, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/sibling.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace troupe::detail {

namespace {

// The C library keeps the thread's id in its own memory and gave the kernel the address; a child
// needs its own id there. The kernel writes it, as it does for the C library's own fork.
int* thread_id_address() noexcept {
  int* address = nullptr;
  if (::prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0) != 0) return nullptr;
  if (address == nullptr || *address != static_cast<int>(::syscall(SYS_gettid))) {
    errno = EINVAL;
    return nullptr;
  }
  return address;
}

// The list of robust mutexes that the thread holds: registered per thread, and not inherited.
struct RobustList {
  void* head = nullptr;
  std::size_t size = 0;

  RobustList() noexcept { ::syscall(SYS_get_robust_list, 0, &head, &size); }
  void register_again() const noexcept {
    if (head != nullptr) ::syscall(SYS_set_robust_list, head, size);
  }
};

}  // namespace

bool is_single_threaded() {
  struct stat tasks {};
  constexpr nlink_t names = 2;  // its own, and "." in it; one more for each thread
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == names + 1;
}

pid_t fork_sibling() noexcept {
  int* const thread_id = thread_id_address();
  if (thread_id == nullptr) return -1;
  const RobustList robust_list;
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  arguments.child_tid = reinterpret_cast<std::uintptr_t>(thread_id);
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) robust_list.register_again();
  return pid;
}

}  // namespace troupe::detail

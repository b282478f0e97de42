// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace troupe::detail {
namespace {

std::string file() { return std::string(std::getenv("TEST_TMPDIR")) + "/lock"; }

UniqueFd open_file() {
  return UniqueFd(::open(file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

// Whether the kernel has that process waiting for a lock.
bool waits_for_lock(pid_t pid) {
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    const bool waits = line.find("->") != std::string::npos;
    if (waits && line.find(" " + std::to_string(pid) + " ") != std::string::npos) return true;
  }
  return false;
}

// DBG-06: first come first served. A file stands for the terminal.
TEST(TerminalLockTest, IsGivenInTheOrderOfAsking) {
  constexpr int processes = 6;
  UniqueFd held = open_file();
  ASSERT_TRUE(lock_terminal(held.get()));
  int order[2];
  ASSERT_EQ(::pipe2(order, O_CLOEXEC), 0);
  for (char number = 0; number < processes; ++number) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      held.reset();
      const UniqueFd own = open_file();
      lock_terminal(own.get());
      ::_exit(::write(order[1], &number, 1) == 1 ? 0 : 1);  // which lets the next one have it
    }
    while (!waits_for_lock(pid)) ::usleep(1000);
  }
  held.reset();
  for (char number = 0; number < processes; ++number) {
    char next = -1;
    ASSERT_EQ(::read(order[0], &next, 1), 1);
    EXPECT_EQ(next, number);
  }
  while (::wait(nullptr) > 0) {
  }
}

TEST(TerminalLockTest, IsTakenUntilItsHolderDies) {
  UniqueFd held = open_file();
  EXPECT_FALSE(terminal_is_taken(file()));
  ASSERT_TRUE(lock_terminal(held.get()));
  EXPECT_TRUE(terminal_is_taken(file()));
  const pid_t heir = ::fork();
  if (heir == 0) {
    ::pause();
    ::_exit(0);
  }
  held.reset();  // the copy that the fork has made still holds it
  EXPECT_TRUE(terminal_is_taken(file()));
  ::kill(heir, SIGKILL);
  ::waitpid(heir, nullptr, 0);
  EXPECT_FALSE(terminal_is_taken(file()));
}

}  // namespace
}  // namespace troupe::detail

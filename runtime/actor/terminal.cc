// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/terminal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace troupe::detail {
namespace {

constexpr unsigned first_pts_major = 136;
constexpr unsigned last_pts_major = 143;
constexpr unsigned minors_per_major = 256;

// The number of the controlling terminal's device, the seventh field of /proc/self/stat; 0: none.
unsigned terminal_number() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string state;
  long parent = 0, group = 0, session = 0, terminal = 0;
  rest >> state >> parent >> group >> session >> terminal;
  return static_cast<unsigned>(terminal);
}

}  // namespace

// By its own name: /dev/tty is the same file for the terminals of everybody.
std::string terminal_device() {
  const unsigned number = terminal_number();
  if (number == 0) return {};
  const unsigned major_number = major(number);
  if (major_number < first_pts_major || major_number > last_pts_major) return "/dev/tty";
  return "/dev/pts/" +
         std::to_string((major_number - first_pts_major) * minors_per_major + minor(number));
}

UniqueFd open_terminal(const std::string& device) noexcept {
  return UniqueFd(device.empty() ? -1 : ::open(device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

bool lock_terminal(int terminal) noexcept {
  while (::flock(terminal, LOCK_EX) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

bool terminal_is_taken(const std::string& device) noexcept {
  const UniqueFd terminal = open_terminal(device);
  return terminal && ::flock(terminal.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/self_image.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/spawn/errors.h"

namespace troupe {

namespace {

constexpr const char* own_image = "/proc/self/exe";

std::string read_whole(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

std::vector<std::string> read_argv() {
  const std::string joined = read_whole("/proc/self/cmdline");
  std::vector<std::string> argv;
  for (std::size_t begin = 0; begin < joined.size();) {
    const std::size_t end = std::min(joined.find('\0', begin), joined.size());
    argv.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  if (argv.empty()) argv.emplace_back(own_image);
  return argv;
}

// O_PATH needs no permission to read and keeps the file, not its name. The link in /proc leads to
// the running image whatever has become of its name, so it is early enough on first use.
UniqueFd open_image() {
  UniqueFd fd(::open(own_image, O_PATH | O_CLOEXEC));
  if (fd && fd.get() <= STDERR_FILENO) fd.reset(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd) {
    throw SpawnFailed(std::string("cannot open this program's image ") + own_image + ": " +
                      detail::errno_text(errno) +
                      "; spawning needs /proc, and a free file descriptor");
  }
  return fd;
}

bool is_same_file(int fd, const char* path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

const std::vector<std::string>& original_argv() {
  static const std::vector<std::string> argv = read_argv();
  return argv;
}

namespace detail {

std::string self_image_path() {
  static const UniqueFd image = open_image();
  // The child closes its copies of our descriptors before it executes, so it cannot go through its
  // own /proc/self/fd. /proc/self/exe is still our image there, as the memory is shared until then.
  if (is_same_file(image.get(), own_image)) return own_image;
  // Under valgrind /proc/self/exe is valgrind; the descriptor is the program.
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(image.get());
}

std::string self_file_name() {
  std::string name(PATH_MAX, '\0');
  const ssize_t length = ::readlink(own_image, name.data(), name.size());
  if (length < 0) {
    throw SpawnFailed(std::string("cannot read the name of this program's file (") + own_image +
                      "): " + errno_text(errno) + "; spawning needs /proc");
  }
  name.resize(static_cast<std::size_t>(length));
  if (::access(name.c_str(), X_OK) != 0) {
    throw SpawnFailed("this program's file is not there any more, or cannot be executed: " + name +
                      ": " + errno_text(errno) + "; a launcher needs it by its name");
  }
  return name;
}

}  // namespace detail
}  // namespace troupe

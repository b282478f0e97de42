// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/run_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

constexpr const char* run_prefix = "run-";

std::string reason() { return std::strerror(errno); }

std::string wanted_directory() {
  if (const char* own = std::getenv("TROUPE_RUNTIME_DIR"); own != nullptr && *own != '\0')
    return own;
  if (const char* xdg = std::getenv("XDG_RUNTIME_DIR"); xdg != nullptr && *xdg != '\0') {
    struct stat info;
    if (::stat(xdg, &info) == 0 && S_ISDIR(info.st_mode)) return std::string(xdg) + "/troupe";
  }
  return "/tmp/troupe-" + std::to_string(::getuid());
}

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

// A run's directory holds sockets only, no further directories.
void remove_run(const std::string& path) noexcept {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory) {
    while (const dirent* entry = ::readdir(directory.get())) {
      ::unlinkat(::dirfd(directory.get()), entry->d_name, 0);
    }
  }
  ::rmdir(path.c_str());
}

void sweep(const std::string& parent) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(parent.c_str()), ::closedir);
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (std::strncmp(entry->d_name, run_prefix, std::strlen(run_prefix)) != 0) continue;
    remove_abandoned_run(parent + "/" + entry->d_name);
  }
}

}  // namespace

std::string user_runtime_directory() {
  const std::string path = wanted_directory();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw UsageError("the runtime directory " + path + " cannot be made: " + reason() +
                     "; set TROUPE_RUNTIME_DIR to a directory of your own");
  }
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid() ||
      (info.st_mode & 0777) != 0700) {
    throw UsageError("the runtime directory " + path +
                     " is not a directory of this user with mode 0700, so others could interfere; "
                     "remove it, or set TROUPE_RUNTIME_DIR to another one");
  }
  return path;
}

RunDirectory::RunDirectory() {
  const std::string parent = user_runtime_directory();
  // Two roots that start at once: sweeping and making must not meet, or a directory that is not yet
  // locked would be taken for an abandoned one.
  const UniqueFd guard = open_directory(parent);
  if (!guard || ::flock(guard.get(), LOCK_EX) != 0) {
    throw Error("the runtime directory " + parent + " cannot be locked: " + reason());
  }
  sweep(parent);
  std::string path = parent + "/" + run_prefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    throw Error("a directory below " + parent + " cannot be made: " + reason() +
                "; free some space, or set TROUPE_RUNTIME_DIR to a directory elsewhere");
  }
  lock_ = open_directory(path);
  if (!lock_ || ::flock(lock_.get(), LOCK_EX) != 0) {
    ::rmdir(path.c_str());
    throw Error("the directory " + path + " cannot be locked: " + reason());
  }
  path_ = std::move(path);
}

// A run that nobody has locked is one whose root is gone.
void remove_abandoned_run(const std::string& path) noexcept {
  const UniqueFd held = open_directory(path);
  if (held && ::flock(held.get(), LOCK_EX | LOCK_NB) == 0) remove_run(path);
}

RunDirectory::~RunDirectory() { remove_run(path_); }

}  // namespace troupe

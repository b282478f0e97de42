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
#include <filesystem>
#include <memory>
#include <system_error>

#include "troupe/ipc/address.h"
#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

constexpr const char* run_prefix = "run-";
// What follows the runtime directory in the path of a socket: "/run-XXXXXX/" and 16 digits.
constexpr std::size_t longest_directory = Address::max_path - 12 - 16;

std::string reason() { return std::strerror(errno); }

// Without "//", "/./" and a slash at the end.
std::string normal(const std::string& path) {
  std::string text = std::filesystem::path(path).lexically_normal();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string wanted_directory() {
  if (const char* own = std::getenv("TROUPE_RUNTIME_DIR"); own != nullptr && *own != '\0') {
    return normal(own);
  }
  if (const char* xdg = std::getenv("XDG_RUNTIME_DIR"); xdg != nullptr && *xdg != '\0') {
    struct stat info;
    const std::string path = normal(std::string(xdg) + "/troupe");
    // It may be another user's, whose environment `sudo -E` keeps.
    const bool is_ours =
        ::stat(xdg, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::getuid();
    if (is_ours && path.size() <= longest_directory) return path;
  }
  return "/tmp/troupe-" + std::to_string(::getuid());
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw UsageError("the runtime directory " + path + " is not used: " + why);
}

void check_length(const std::string& path) {
  if (path.size() <= longest_directory) return;
  refuse(path,
         "its path has " + std::to_string(path.size()) + " octets, and with more than " +
             std::to_string(longest_directory) +
             " there is no room for the names of sockets; set TROUPE_RUNTIME_DIR to a shorter "
             "one");
}

// Whoever owns a symbolic link on the way could turn it to another place later.
void check_way(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.is_absolute())
    refuse(path, "the path is not absolute; set TROUPE_RUNTIME_DIR to one that is");
  std::error_code missing;  // which making the directory will tell
  const std::filesystem::path real = std::filesystem::canonical(folder, missing);
  if (!missing && real != folder) {
    refuse(path, "a symbolic link leads to it; if that is meant, set TROUPE_RUNTIME_DIR to " +
                     (real / std::filesystem::path(path).filename()).string());
  }
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
  check_length(path);
  check_way(path);
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

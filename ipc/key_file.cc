// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "troupe/ipc/text.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

namespace {

constexpr std::size_t least_secret = 16;
constexpr std::size_t most_secret = 4096;
constexpr mode_t private_mode = 0600;

std::string reason() { return std::strerror(errno); }

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw UsageError("the key file " + path + " is not used: " + why);
}

// The secret's octets are not left behind in memory.
struct Secret {
  explicit Secret(std::size_t size) : octets(size, '\0') {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { ::explicit_bzero(octets.data(), octets.size()); }
  Bytes octets;
};

// Empty when there is none. Without O_NONBLOCK a pipe of that name would be waited for.
UniqueFd open_if_there(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd || errno == ENOENT) return fd;
  if (errno == ELOOP) refuse(path, "it is a symbolic link; name the file itself");
  refuse(path, "it cannot be opened: " + reason());
}

void check_private(const std::string& path, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) refuse(path, "it cannot be looked at: " + reason());
  if (!S_ISREG(info.st_mode)) refuse(path, "it is no regular file");
  if (info.st_uid != ::geteuid()) {
    refuse(path, "it belongs to another user (uid " + std::to_string(info.st_uid) +
                     "), who knows it; make a file of your own");
  }
  if ((info.st_mode & 077) != 0) {
    refuse(path, "others may read or write it, so it is no secret; make a new one, with chmod 600");
  }
}

std::size_t read_up_to(const std::string& path, int fd, Bytes& octets) {
  std::size_t size = 0;
  while (size < octets.size()) {
    const ssize_t count = ::read(fd, octets.data() + size, octets.size() - size);
    if (count == 0) break;
    if (count < 0 && errno != EINTR) refuse(path, "it cannot be read: " + reason());
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  return size;
}

Key read_key(const std::string& path, int fd) {
  check_private(path, fd);
  Secret secret(most_secret + 1);
  const std::size_t size = read_up_to(path, fd, secret.octets);
  if (size > most_secret) {
    refuse(path,
           "it has more than " + std::to_string(most_secret) + " octets; is it a key at all?");
  }
  BytesView key = BytesView(secret.octets).substr(0, size);
  while (key.ends_with('\n') || key.ends_with('\r')) key.remove_suffix(1);
  if (key.size() < least_secret) {
    refuse(path, "its " + std::to_string(key.size()) +
                     " octets are too few to be a secret; it "
                     "takes " +
                     std::to_string(least_secret) +
                     " at least (make one by `head -c 32 /dev/urandom | base64`)");
  }
  return Key::from_secret(key);
}

std::optional<Key> read_if_there(const std::string& path) {
  const UniqueFd fd = open_if_there(path);
  if (!fd) return std::nullopt;
  return read_key(path, fd.get());
}

// ---- Making one ----

[[noreturn]] void fail_to_make(const std::string& path) {
  throw Error("the key file " + path + " cannot be made: " + reason() +
              "; free some space, or set TROUPE_RUNTIME_DIR to a directory elsewhere");
}

// A file under a name that nobody else uses; the name goes, whatever comes.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path)
      : path_(std::move(path)),
        fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_mode)) {
    if (!fd_) fail_to_make(path_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }

  void write(BytesView octets) {
    while (!octets.empty()) {
      const ssize_t count = ::write(fd_.get(), octets.data(), octets.size());
      if (count < 0 && errno != EINTR) fail_to_make(path_);
      if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
    }
    // The user's mask may have taken bits away.
    if (::fchmod(fd_.get(), private_mode) != 0) fail_to_make(path_);
  }

  // On the disk, or not at all: it must never be found half-written under its last name.
  void sync() {
    if (::fsync(fd_.get()) != 0) fail_to_make(path_);
  }

  // Unlike a renaming this leaves a file alone that somebody else has made meanwhile.
  void link_as(const std::string& path) {
    if (::link(path_.c_str(), path.c_str()) != 0 && errno != EEXIST) fail_to_make(path);
  }

 private:
  std::string path_;
  UniqueFd fd_;
};

// How long the file is to last.
enum class Lasting { as_run, for_ever };

void make_key_file(const std::string& path, Lasting lasting) {
  TemporaryFile file(path + "." + make_uuid());
  // As text, so that it can be copied by hand.
  Secret secret(0);
  secret.octets = to_hex(Key::random().bytes()) + "\n";
  file.write(secret.octets);
  if (lasting == Lasting::for_ever) file.sync();
  file.link_as(path);
}

}  // namespace

Key read_key_file(const std::string& path) {
  if (std::optional<Key> key = read_if_there(path)) return *std::move(key);
  refuse(path, "it does not exist");
}

Key user_key(const std::string& directory) {
  const std::string path = directory + "/key";
  if (std::optional<Key> key = read_if_there(path)) return *std::move(key);
  make_key_file(path, Lasting::for_ever);
  return read_key_file(path);
}

Key leave_fresh_key(const std::string& directory) {
  const std::string path = directory + "/key";
  make_key_file(path, Lasting::as_run);
  return read_key_file(path);
}

}  // namespace troupe

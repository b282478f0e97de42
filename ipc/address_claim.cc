// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/address_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "troupe/ipc/errors.h"
#include "troupe/ipc/probe.h"

namespace troupe {

namespace {

[[noreturn]] void fail(const Address& address, const std::string& what) {
  throw TransportClosed(TransportClosed::Reason::unreachable,
                        "cannot listen at " + address.str() + ": " + what + ": " +
                            std::strerror(errno) + "; check that the directory is yours");
}

// What cannot be made is told by the next step.
void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0700);
  }
}

// The last holder may have removed the file after we had opened it: then it locks nobody out.
bool is_still_there(int fd, const std::string& path) {
  struct stat held {};
  struct stat there {};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

}  // namespace

std::optional<AddressClaim> AddressClaim::try_take(const Address& address) {
  const std::string path = address.path() + ".lock";
  make_folders(path);
  for (;;) {
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) fail(address, "its lock file cannot be opened");
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return std::nullopt;
      fail(address, "its lock file cannot be locked");
    }
    if (is_still_there(lock.get(), path)) return AddressClaim(std::move(lock), path);
  }
}

AddressClaim::~AddressClaim() {
  if (lock_) ::unlink(path_.c_str());
}

void remove_abandoned_socket(const Address& address) noexcept {
  if (::access(address.path().c_str(), F_OK) != 0) return;
  try {
    const std::optional<AddressClaim> claim = AddressClaim::try_take(address);
    if (claim && why_not_bindable(address).text.empty()) ::unlink(address.path().c_str());
  } catch (const TransportClosed&) {  // its folder has gone meanwhile, and the socket with it
  }
}

}  // namespace troupe

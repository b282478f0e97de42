// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one owner of a file descriptor.

#include <unistd.h>

#include <utility>

namespace troupe {

/// Owns a file descriptor and closes it. Moves; does not copy.
class UniqueFd {
 public:
  /// Takes ownership of `fd`; -1 owns nothing.
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  /// The descriptor, still owned; -1 when there is none.
  int get() const noexcept { return fd_; }
  /// Gives the descriptor away.
  int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes the present descriptor and owns `fd` from now on.
  void reset(int fd = -1) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old >= 0 && old != fd) ::close(old);
  }
  /// Whether a descriptor is owned.
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace troupe

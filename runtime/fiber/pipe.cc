// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {
namespace {

UniqueFd non_blocking(UniqueFd fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    throw std::system_error(errno, std::generic_category(), "a pipe cannot be made non-blocking");
  return fd;
}

void close_fd(UniqueFd& fd) noexcept {
  if (fd && Loop::try_current() != nullptr) notify_closing(fd.get());
  fd.reset();
}

int checked(const UniqueFd& fd) {
  if (!fd) throw UsageError("this end of a pipe was closed");
  return fd.get();
}

[[noreturn]] void throw_errno(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

// The signal is blocked in this thread for the time, and taken back if it came from here.
ssize_t detail::write_quietly(int fd, const char* data, std::size_t size) {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  sigset_t pending_before;
  sigset_t mask_before;
  ::sigpending(&pending_before);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &mask_before);
  const ssize_t count = ::write(fd, data, size);
  const int error = errno;
  if (count < 0 && error == EPIPE && ::sigismember(&pending_before, SIGPIPE) == 0) {
    const timespec at_once{};
    ::sigtimedwait(&pipe, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  errno = error;
  return count;
}

PipeReader::PipeReader(UniqueFd fd) : fd_(non_blocking(std::move(fd))) {}

void PipeReader::close() noexcept { close_fd(fd_); }

std::string PipeReader::read_some(std::size_t max) {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  std::string octets(max, '\0');
  for (;;) {
    const ssize_t count = ::read(checked(fd_), octets.data(), octets.size());
    const int error = errno;
    if (count >= 0) {
      octets.resize(static_cast<std::size_t>(count));
      loop.spend();
      return octets;
    }
    if (error == EAGAIN) {
      wait_readable(fd_.get());
    } else if (error != EINTR) {
      throw_errno(error, "reading from a pipe failed");
    }
  }
}

std::string PipeReader::read_all() {
  std::string all;
  for (;;) {
    const std::string some = read_some();
    if (some.empty()) return all;
    all += some;
  }
}

PipeWriter::PipeWriter(UniqueFd fd) : fd_(non_blocking(std::move(fd))) {}

void PipeWriter::close() noexcept { close_fd(fd_); }

void PipeWriter::write_all(std::string_view octets) {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  while (!octets.empty()) {
    const ssize_t count = detail::write_quietly(checked(fd_), octets.data(), octets.size());
    const int error = errno;
    if (count >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(count));
    } else if (error == EAGAIN) {
      wait_writable(fd_.get());
    } else if (error == EPIPE) {
      throw BrokenChannel("the other end of the pipe was closed: what is written cannot arrive");
    } else if (error != EINTR) {
      throw_errno(error, "writing to a pipe failed");
    }
  }
  loop.spend();
}

}  // namespace troupe

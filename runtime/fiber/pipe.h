// SPDX-License-Identifier: Apache-2.0
#pragma once

// Octets over a pipe (or any descriptor that can be waited for), by tasks.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

namespace detail {
/// `write` without the SIGPIPE, and without changing what the program does with that signal.
ssize_t write_quietly(int fd, const char* data, std::size_t size);
}  // namespace detail

/// The end of a pipe from which tasks read. Owns its descriptor. Resource. One task at a time may
/// read: a second one gets a `UsageError`.
class PipeReader {
 public:
  /// Takes over a descriptor and makes it non-blocking.
  explicit PipeReader(UniqueFd fd);
  PipeReader(const PipeReader&) = delete;
  PipeReader& operator=(const PipeReader&) = delete;
  ~PipeReader() { close(); }

  /// Waits for octets and returns those that are there, `max` at most; none at the end. Checkpoint.
  /// Throws `UsageError` when it was closed.
  std::string read_some(std::size_t max = 64 * 1024);
  /// Reads to the end. Checkpoint.
  std::string read_all();
  /// Closes it; a task that reads gets a `UsageError`. Never waits.
  void close() noexcept;
  /// The descriptor, or -1.
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

/// The end of a pipe into which tasks write. Owns its descriptor. Resource. One task at a time may
/// write: a second one gets a `UsageError`.
class PipeWriter {
 public:
  /// Takes over a descriptor and makes it non-blocking.
  explicit PipeWriter(UniqueFd fd);
  PipeWriter(const PipeWriter&) = delete;
  PipeWriter& operator=(const PipeWriter&) = delete;
  ~PipeWriter() { close(); }

  /// Writes all of `octets`. Checkpoint. When cancelled, a part may have been written. Throws
  /// `BrokenChannel` when nobody reads any more (no SIGPIPE is raised), `UsageError` when it was
  /// closed.
  void write_all(std::string_view octets);
  /// Closes it: the reader comes to the end. A task that writes gets a `UsageError`. Never waits.
  void close() noexcept;
  /// The descriptor, or -1.
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace troupe

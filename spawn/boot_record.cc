// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/boot_record.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/spawn/errors.h"

namespace troupe::detail {

namespace {

[[noreturn]] void fail_reading(const std::string& what) {
  throw SpawnFailed("this process (pid " + std::to_string(::getpid()) +
                    ") was started as an actor, but " + what +
                    "; nothing can be done here, look at the parent's errors");
}

// Reads up to `size` octets; fewer only at the end of the stream.
std::size_t read_up_to(int fd, char* data, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, data + done, size - done);
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno == ECONNRESET) {
      break;
    } else if (errno != EINTR) {
      fail_reading("its boot record cannot be read: " + errno_text(errno));
    }
  }
  return done;
}

[[noreturn]] void fail_short(std::size_t got, std::size_t expected) {
  fail_reading("its parent went away after " + std::to_string(got) + " of the " +
               std::to_string(expected) + " octets of its boot record");
}

std::size_t read_length(int fd) {
  char raw[4];
  const std::size_t got = read_up_to(fd, raw, sizeof raw);
  if (got < sizeof raw) fail_short(got, sizeof raw);
  return ByteReader(BytesView(raw, sizeof raw)).u32();
}

}  // namespace

BootRecordWriter::BootRecordWriter(int lifeline, BytesView blob)
    : lifeline_(lifeline), length_(raw_length_, sizeof raw_length_), blob_(blob) {
  if (blob.size() > max_boot_record) {
    throw UsageError("the boot record of an actor has " + std::to_string(blob.size()) +
                     " octets, where at most " + std::to_string(max_boot_record) +
                     " are allowed: send large data as arguments of a call instead");
  }
  Bytes header;
  put_u32(header, static_cast<std::uint32_t>(blob.size()));
  header.copy(raw_length_, sizeof raw_length_);
}

void BootRecordWriter::write_some() {
  while (!done()) {
    BytesView& part = length_.empty() ? blob_ : length_;
    const ssize_t sent = ::send(lifeline_, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      part.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "cannot write the boot record");
    }
  }
}

void BootRecordWriter::finish() {
  for (write_some(); !done(); write_some()) wait_writable(lifeline_);
}

Bytes read_boot_record(int lifeline) {
  const std::size_t length = read_length(lifeline);
  if (length > max_boot_record) {
    fail_reading("what it was given is no boot record (its length says " + std::to_string(length) +
                 " octets)");
  }
  // In steps, so that a false length costs no more memory than octets have really come.
  constexpr std::size_t step = std::size_t{4} << 20;
  Bytes blob;
  while (blob.size() < length) {
    const std::size_t have = blob.size();
    const std::size_t want = std::min(step, length - have);
    blob.resize(have + want);
    const std::size_t got = read_up_to(lifeline, blob.data() + have, want);
    if (got < want) fail_short(have + got, length);
  }
  return blob;
}

}  // namespace troupe::detail

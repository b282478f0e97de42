// SPDX-License-Identifier: Apache-2.0
#pragma once

// The boot record on the wire, the same for every backend: a length of four octets
// (little-endian), then that many octets. It travels from parent to child as the first thing on the
// life-line, which afterwards stays open and silent: its end is the parent's end.

#include <cstddef>

#include "troupe/runtime/base/bytes.h"

namespace troupe::detail {

/// The longest blob of a boot record.
inline constexpr std::size_t max_boot_record = std::size_t{1} << 30;

/// Writes a record to a socket without ever blocking the thread.
class BootRecordWriter {
 public:
  /// Throws `UsageError` if `blob` is too long. Lifetime: `blob` must outlive the writer.
  BootRecordWriter(int lifeline, BytesView blob);
  BootRecordWriter(const BootRecordWriter&) = delete;
  BootRecordWriter& operator=(const BootRecordWriter&) = delete;

  /// Writes as much as the socket's buffer (some 100 KiB) takes; done before the child is started,
  /// it finds its record in place. Never waits. Throws `std::system_error` if the child has closed
  /// its end.
  void write_some();
  /// Writes the rest. Checkpoint, when that does not fit: then it waits for the child to read.
  /// Throws as `write_some` does.
  void finish();
  /// Whether everything has been written. Never waits.
  bool done() const { return length_.empty() && blob_.empty(); }

 private:
  int lifeline_;
  char raw_length_[4];
  BytesView length_;  // what of it is still to be written
  BytesView blob_;    // the same
};

/// Reads a record, which blocks the thread: the child has nothing else to do yet. Any stream
/// descriptor will do.
///
/// Throws `SpawnFailed` if the stream ends midway or its length field is absurd.
Bytes read_boot_record(int lifeline);

}  // namespace troupe::detail

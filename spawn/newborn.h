// SPDX-License-Identifier: Apache-2.0
#pragma once

// A child in the making: what every backend does before and after it has a process. The life-line
// with the record in it, the outputs, then the `Child`.

#include <sys/types.h>

#include <memory>
#include <optional>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/spawn/boot_record.h"
#include "troupe/spawn/child.h"
#include "troupe/spawn/outputs.h"
#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// Whether a child's process leads a group of its own, which is ended with it.
enum class Group { ours, own };

/// What a child is to get, and becomes. Resource; used once. Lifetime: the spec and the octets that
/// it was made with must outlive it.
class Newborn {
 public:
  /// Makes life-line and outputs, and begins to write the record. A `head` that is not empty is a
  /// record of its own before the blob. Never waits. Throws `SpawnFailed` when the system gives no
  /// descriptors, `UsageError` for a `spec` that no process can have.
  explicit Newborn(const SpawnSpec& spec, BytesView head = {});
  Newborn(const Newborn&) = delete;
  Newborn& operator=(const Newborn&) = delete;

  /// The child's end of the life-line.
  int lifeline() const { return child_end_.get(); }
  /// What is to be its stdout; -1: this process' own.
  int out() const { return outputs_.out.its_end.get(); }
  /// What is to be its stderr; -1: this process' own.
  int err() const { return outputs_.err.its_end.get(); }

  /// Makes the `Child` of a process that was started with all this, and writes what is left of the
  /// record. Checkpoint, when the child must read first. Whatever is thrown, the process is ended
  /// and reaped first. Throws `SpawnFailed` when the child does not take its record.
  std::unique_ptr<Child> adopt(pid_t pid, Group group = Group::ours);

 private:
  std::unique_ptr<Child> make_child(pid_t pid, Group group);
  void finish_records(Child& child);

  const SpawnSpec& spec_;
  UniqueFd parent_end_;
  UniqueFd child_end_;
  ChildOutputs outputs_;
  std::optional<BootRecordWriter> head_;
  std::optional<BootRecordWriter> blob_;
};

/// Kills and reaps an un-reaped child of this process that nobody holds. Blocks until the kernel
/// has torn it down.
void kill_and_reap(pid_t pid) noexcept;

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The outputs of a child that is about to be started: pipes where its `Stdio` wants them.

#include <memory>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/spawn/output_relay.h"
#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// Whether a standard descriptor of this process is one for its children, too. A program that has
/// closed its stdout may hold anything under that number, the loop's descriptors too: what is not
/// meant to be inherited (FD_CLOEXEC) is not stdout.
bool is_meant_for_children(int standard) noexcept;

/// `fd` if it is none of the standard ones, else a copy above them: those are given out by the
/// system when a program has closed them. Throws `SpawnFailed` when there is no further descriptor.
UniqueFd above_stdio(const SpawnSpec& spec, UniqueFd fd);

/// One output of a child.
struct ChildOutput {
  UniqueFd its_end;                    ///< What the child gets; empty: this process' own.
  std::shared_ptr<OutputRelay> relay;  ///< What reads the other end; null where there is no pipe.
};

/// Both outputs of a child.
struct ChildOutputs {
  /// Makes the pipes. Throws `SpawnFailed` when there are no further descriptors.
  explicit ChildOutputs(const SpawnSpec& spec);

  ChildOutput out;
  ChildOutput err;
};

}  // namespace troupe::detail

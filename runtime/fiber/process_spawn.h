// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starting a program: descriptors, environment, `posix_spawn`. The part of process.h that knows the
// system. Not for users.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/process.h"

namespace troupe::detail {

/// A process that runs, and this side's ends of its pipes (empty where there is none).
struct SpawnedProcess {
  pid_t pid = -1;
  UniqueFd pidfd;  ///< Empty when something else has waited for it already.
  UniqueFd in;
  UniqueFd out;
  UniqueFd err;
};

/// Starts `argv[0]`. Never waits. Throws `ProcessNotStarted`, and `UsageError` for options that
/// cannot be.
SpawnedProcess spawn_process(const std::vector<std::string>& argv, const ProcessOptions& options);

/// Reaps the process if it has ended. An unknown status when something else has reaped it.
std::optional<ProcessStatus> reap_process(int pidfd) noexcept;

/// What messages call the process.
std::string process_label(const std::vector<std::string>& argv, const ProcessOptions& options);

}  // namespace troupe::detail

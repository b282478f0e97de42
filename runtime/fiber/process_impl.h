// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a `Process` is made of. Not for users.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/process.h"
#include "troupe/runtime/fiber/process_spawn.h"

namespace troupe {

/// A process and this side's ends of its pipes. One task, its supervisor, watches it; the others
/// wait for the event.
struct Process::Impl {
  Impl(std::vector<std::string> argv, std::string label, detail::SpawnedProcess spawned);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  /// Waits for the end and reaps. Checkpoint. Only the supervisor.
  void watch();
  /// Reaps if it has ended; whether it has.
  bool reap();
  void set_status(ProcessStatus final_status);
  void kill_and_reap() noexcept;

  const std::vector<std::string> argv;
  const std::string label;
  const pid_t pid;
  const UniqueFd pidfd;
  std::optional<ProcessStatus> status;
  Event ended;
  std::unique_ptr<PipeWriter> in;
  std::unique_ptr<PipeReader> out;
  std::unique_ptr<PipeReader> err;
};

}  // namespace troupe

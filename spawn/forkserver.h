// SPDX-License-Identifier: Apache-2.0
#pragma once

// The backend `forkserver`: a child is forked from a zygote, which is this very program, stopped
// where it would become an actor. That saves the program's start and its dynamic linking. What is
// the same in all children of an actor is what the program has done before `init`.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "troupe/runtime/fiber/lock.h"
#include "troupe/spawn/child.h"
#include "troupe/spawn/spec.h"

namespace troupe {

namespace detail {
class Newborn;
struct ZygoteAnswer;
struct ZygoteRequest;
}  // namespace detail

/// Makes children by way of one zygote, which is started on the first use, and again after its
/// death. Resource; belongs to the loop of the thread that makes it. The children are this process'
/// own and outlive it.
class Forkserver {
 public:
  Forkserver();
  Forkserver(const Forkserver&) = delete;
  Forkserver& operator=(const Forkserver&) = delete;
  /// Kills and reaps the zygote. Nobody may be waiting in `spawn`.
  ~Forkserver();

  /// Makes a child, which finds its record by `take_boot_record` and is as one of `spawn_exec`, but
  /// for what it has from the zygote: umask, limits and the like are those of the first spawn. Any
  /// number of tasks may call it; they are served in turn.
  ///
  /// Where the zygote cannot fork (the program has started a thread before `init`, or ends there;
  /// the kernel refuses) `spawn_exec` is used, with one warning in the log; and without one when
  /// `spec` has an argv, since a fork has that of the zygote.
  ///
  /// Checkpoint. Throws as `spawn_exec` does. Threads: as `spawn_exec`.
  std::unique_ptr<Child> spawn(const SpawnSpec& spec);

  /// The zygote's process; 0 when there is none. Never waits.
  pid_t zygote_pid() const;

 private:
  pid_t fork(const SpawnSpec& spec, const detail::Newborn& newborn);
  void ensure_zygote(const SpawnSpec& first);
  detail::ZygoteAnswer ask(const detail::ZygoteRequest& request, std::span<const int> descriptors);
  void settle(detail::ZygoteAnswer& answer, bool sent);
  void warn(const std::string& why);

  Lock turn_;
  std::unique_ptr<Child> zygote_;
  std::uint32_t last_id_ = 0;
  bool warned_ = false;
};

}  // namespace troupe

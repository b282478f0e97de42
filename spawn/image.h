// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starting an image by posix_spawn, with nothing but what is meant for it: descriptors, signals,
// argv, environment.

#include <sys/types.h>

#include <string>
#include <vector>

#include "troupe/spawn/newborn.h"
#include "troupe/spawn/spec.h"

namespace troupe::detail {

/// The number that the life-line has in a child of this program.
inline constexpr int lifeline_in_child = 3;

/// What to start, and how.
struct Image {
  std::string path;                      ///< The file.
  std::vector<std::string> argv;         ///< Its argv.
  std::vector<std::string> environment;  ///< Its environment, as "name=value".
  int lifeline = lifeline_in_child;      ///< The number of its end; 0: then that is its stdin.
  Group group = Group::ours;             ///< Its process group.
};

/// Starts the image and returns its pid, of a child that is to be adopted at once. It has an empty
/// signal mask, all signals at their default action, /dev/null as stdin unless that is the
/// life-line, its outputs as `newborn` has them, and no other descriptor. Never waits. Throws
/// `SpawnFailed`.
pid_t start_image(const SpawnSpec& spec, const Newborn& newborn, const Image& image);

/// `environment_for` with the mark that names a descriptor and this process. `kind` tells what the
/// process is to do; empty: be a child.
std::vector<std::string> marked_environment(const SpawnSpec& spec, const std::string& kind = {});

}  // namespace troupe::detail

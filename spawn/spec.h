// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a backend is told about the process to start. The blob is opaque here: the layers above put
// into it who the child is and whom to connect to.

#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/bytes.h"
#include "troupe/spawn/child_stdio.h"

namespace troupe {

/// Describes one child process.
struct SpawnSpec {
  std::string name;               ///< The actor's name, for messages; any bytes.
  Bytes blob;                     ///< Handed to the child by `take_boot_record`; up to 1 GiB.
  std::vector<std::string> argv;  ///< The child's argv; empty: this process' own, unchanged.
  /// Added to this process' environment, or in place of variables of the same name there.
  std::vector<std::pair<std::string, std::string>> env;
  Stdio stdio = Stdio::direct;  ///< Where what it prints goes.
};

}  // namespace troupe

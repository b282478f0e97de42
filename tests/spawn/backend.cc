// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/spawn/backend.h"

#include <stdexcept>

#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/launcher_backend.h"

namespace troupe::testing {

Launcher bare_launcher() { return Launcher{.argv = {"env", "-i", "sh", "-c", "exec {exe}"}}; }

std::unique_ptr<Child> Backend::spawn(const SpawnSpec& spec) {
  if (name_ == "exec") return spawn_exec(spec);
  if (name_ == "forkserver") return forkserver_.spawn(spec);
  if (name_ == "launcher") return spawn_launched(bare_launcher(), spec);
  throw std::invalid_argument("there is no backend " + name_);
}

}  // namespace troupe::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The backends by name, for tests that hold for all of them.

#include <memory>
#include <string>

#include "troupe/spawn/child.h"
#include "troupe/spawn/forkserver.h"
#include "troupe/spawn/spec.h"
#include "troupe/spawn/start_method.h"

namespace troupe::testing {

/// A launcher that shares nothing but stdin and outputs, and executes the program in its own place.
Launcher bare_launcher();

/// "exec", "forkserver" or "launcher" (the one above). Resource, to be used inside of one run.
class Backend {
 public:
  explicit Backend(std::string name) : name_(std::move(name)) {}

  /// Starts a child.
  std::unique_ptr<Child> spawn(const SpawnSpec& spec);

 private:
  std::string name_;
  Forkserver forkserver_;
};

}  // namespace troupe::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The start method of a whole tree: what the program says, or what the environment says instead.
// Every actor gets it from its parent.

#include <string>
#include <vector>

#include "troupe/spawn/start_method.h"

namespace troupe {

/// How a tree's actors are made. A value that crosses processes.
struct StartMethodChoice {
  StartMethod method;   ///< Where an actor's options say nothing else.
  bool forced = false;  ///< Whether it stands against the options of actors, too.

  template <class Archive>
  void save(Archive& archive) const {
    const Launcher* const launcher = method.launcher();
    archive(launcher != nullptr ? std::string() : method.to_string(),
            launcher != nullptr ? launcher->argv : std::vector<std::string>(), forced);
  }
  template <class Archive>
  void load(Archive& archive) {
    std::string name;
    Launcher launcher;
    archive(name, launcher.argv, forced);
    method = name.empty() ? StartMethod(std::move(launcher)) : StartMethod::parse(name);
  }
};

/// The root's choice: TROUPE_START_METHOD in the environment wins over `wanted`, with a notice in
/// the log. Throws `UsageError` for a value of that variable which names no method.
StartMethodChoice choose_start_method(const StartMethod& wanted);

}  // namespace troupe

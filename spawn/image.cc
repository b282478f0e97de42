// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/image.h"

#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/failure.h"
#include "troupe/spawn/outputs.h"

namespace troupe::detail {

namespace {

sigset_t all_signals() {
  sigset_t set;
  ::sigfillset(&set);
  return set;
}

// A child without stdout gets /dev/null, lest the first file that it opens become its stdout.
void add_output(SpawnActions& actions, int pipe, int standard) {
  if (pipe >= 0) {
    actions.duplicate(pipe, standard);
  } else if (!is_meant_for_children(standard)) {
    actions.open_null(standard);
  }
}

// The outputs come first: the numbers from which they are copied are above those that are filled.
void set_up_descriptors(SpawnActions& actions, const Newborn& newborn, int lifeline) {
  add_output(actions, newborn.out(), STDOUT_FILENO);
  add_output(actions, newborn.err(), STDERR_FILENO);
  if (lifeline != STDIN_FILENO) actions.open_null(STDIN_FILENO);
  actions.duplicate(newborn.lifeline(), lifeline);
  actions.close_from(std::max(lifeline, STDERR_FILENO) + 1);
}

}  // namespace

pid_t start_image(const SpawnSpec& spec, const Newborn& newborn, const Image& image) {
  SpawnActions actions;
  set_up_descriptors(actions, newborn, image.lifeline);
  SpawnAttributes attributes(all_signals());
  if (image.group == Group::own) attributes.lead_group();
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, image.path.c_str(), actions.get(), attributes.get(),
                    pointers_to(image.argv).data(), pointers_to(image.environment).data());
  if (error != 0) throw_spawn_failed(spec, "posix_spawn", error);
  return pid;
}

std::vector<std::string> marked_environment(const SpawnSpec& spec, const std::string& kind) {
  std::vector<std::string> environment = environment_with(spec.env);
  std::string mark = std::to_string(lifeline_in_child) + ":" + std::to_string(::getpid());
  if (!kind.empty()) mark += ":" + kind;
  set_variable(environment, child_mark, mark);
  return environment;
}

}  // namespace troupe::detail

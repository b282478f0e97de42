// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/launcher_backend.h"

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/failure.h"
#include "troupe/spawn/image.h"
#include "troupe/spawn/launched.h"
#include "troupe/spawn/newborn.h"
#include "troupe/spawn/self_image.h"

namespace troupe {

namespace {

constexpr std::string_view placeholder = "{exe}";

// Within a longer argument it is part of a line for some shell, where a blank parts two words.
std::string expand_within(std::string text, const std::string& program) {
  const std::string words = program + " " + detail::launched_option;
  for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos;) {
    text.replace(at, placeholder.size(), words);
    at += words.size();
  }
  return text;
}

std::vector<std::string> expand(const Launcher& launcher, const SpawnSpec& spec) {
  const std::string program = detail::self_file_name();
  std::vector<std::string> command;
  bool found = false;
  for (const std::string& argument : launcher.argv) {
    if (argument.find('\0') != std::string::npos) {
      detail::throw_spawn_usage(spec, "an argument of its launcher contains a NUL byte");
    }
    found = found || argument.find(placeholder) != std::string::npos;
    if (argument == placeholder) {
      command.insert(command.end(), {program, detail::launched_option});
    } else {
      command.push_back(expand_within(argument, program));
    }
  }
  if (!found) {
    detail::throw_spawn_usage(spec,
                              "no argument of its launcher contains {exe}, which stands for this "
                              "program: put it where the command expects what to run");
  }
  return command;
}

// The command becomes one by way of this program, which has itself killed with its parent first:
// posix_spawn cannot arrange for that.
std::vector<std::string> argv_of_command(std::vector<std::string> command) {
  std::vector<std::string> argv{original_argv().front(), detail::command_option,
                                std::to_string(::getpid())};
  for (std::string& argument : command) argv.push_back(std::move(argument));
  return argv;
}

}  // namespace

std::unique_ptr<Child> spawn_launched(const Launcher& launcher, const SpawnSpec& spec) {
  const std::vector<std::string>& argv = spec.argv.empty() ? original_argv() : spec.argv;
  const Bytes head = detail::LaunchRecord{argv, spec.env}.encode();
  detail::Image image;
  image.path = detail::self_image_path();
  image.argv = argv_of_command(expand(launcher, spec));
  image.environment = detail::environment_with({});
  image.lifeline = STDIN_FILENO;
  image.group = detail::Group::own;
  detail::Newborn newborn(spec, head);
  return newborn.adopt(detail::start_image(spec, newborn, image), image.group);
}

}  // namespace troupe

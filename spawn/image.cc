// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/image.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "troupe/spawn/boot.h"
#include "troupe/spawn/environment.h"
#include "troupe/spawn/failure.h"
#include "troupe/spawn/outputs.h"

namespace troupe::detail {

namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void duplicate(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void open_null(int fd, int flags) {
    ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", flags, 0);
  }
  void close_from(int fd) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  explicit Attributes(Group group) {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (group == Group::own) flags |= POSIX_SPAWN_SETPGROUP;  // to 0: a new one
    ::posix_spawnattr_setflags(&attributes_, flags);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// A child without stdout gets /dev/null, lest the first file that it opens become its stdout.
void add_output(FileActions& actions, int pipe, int standard) {
  if (pipe >= 0) {
    actions.duplicate(pipe, standard);
  } else if (!is_meant_for_children(standard)) {
    actions.open_null(standard, O_WRONLY);
  }
}

// The outputs come first: the numbers from which they are copied are above those that are filled.
void set_up_descriptors(FileActions& actions, const Newborn& newborn, int lifeline) {
  add_output(actions, newborn.out(), STDOUT_FILENO);
  add_output(actions, newborn.err(), STDERR_FILENO);
  if (lifeline != STDIN_FILENO) actions.open_null(STDIN_FILENO, O_RDONLY);
  actions.duplicate(newborn.lifeline(), lifeline);
  actions.close_from(std::max(lifeline, STDERR_FILENO) + 1);
}

}  // namespace

pid_t start_image(const SpawnSpec& spec, const Newborn& newborn, const Image& image) {
  FileActions actions;
  set_up_descriptors(actions, newborn, image.lifeline);
  const Attributes attributes(image.group);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, image.path.c_str(), actions.get(), attributes.get(),
                    pointers_to(image.argv).data(), pointers_to(image.environment).data());
  if (error != 0) throw_spawn_failed(spec, "posix_spawn", error);
  return pid;
}

std::vector<std::string> marked_environment(const SpawnSpec& spec, const std::string& kind) {
  std::vector<std::string> environment = environment_for(spec);
  std::string mark = std::to_string(lifeline_in_child) + ":" + std::to_string(::getpid());
  if (!kind.empty()) mark += ":" + kind;
  set_variable(environment, child_mark, mark);
  return environment;
}

}  // namespace troupe::detail

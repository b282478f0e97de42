// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/failure.h"

namespace troupe::detail {

namespace {

ChildOutput make_output(const SpawnSpec& spec, int standard, const std::string& prefix) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_spawn_failed(spec, "pipe", errno);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  reader = above_stdio(spec, std::move(reader));
  writer = above_stdio(spec, std::move(writer));
  return {std::move(writer), std::make_shared<OutputRelay>(std::move(reader), standard, prefix)};
}

}  // namespace

bool is_meant_for_children(int standard) noexcept {
  const int flags = ::fcntl(standard, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

UniqueFd above_stdio(const SpawnSpec& spec, UniqueFd fd) {
  UniqueFd moved = above_stdio(std::move(fd));
  if (!moved) throw_spawn_failed(spec, "fcntl", errno);
  return moved;
}

ChildOutputs::ChildOutputs(const SpawnSpec& spec) {
  if (spec.stdio == Stdio::direct) return;
  const std::string prefix = spec.stdio == Stdio::prefixed ? spec.name + ": " : "";
  if (spec.stdio == Stdio::prefixed) out = make_output(spec, STDOUT_FILENO, prefix);
  err = make_output(spec, STDERR_FILENO, prefix);
}

}  // namespace troupe::detail

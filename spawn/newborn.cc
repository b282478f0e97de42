// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/newborn.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/environment.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/failure.h"
#include "troupe/spawn/terminate.h"

namespace troupe::detail {

namespace {

const SpawnSpec& checked(const SpawnSpec& spec) {
  check_spec(spec);
  return spec;
}

}  // namespace

Newborn::Newborn(const SpawnSpec& spec, BytesView head) : spec_(checked(spec)), outputs_(spec) {
  keep_ended_children();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_spawn_failed(spec, "socketpair", errno);
  }
  parent_end_.reset(ends[0]);
  child_end_.reset(ends[1]);
  parent_end_ = above_stdio(spec, std::move(parent_end_));
  child_end_ = above_stdio(spec, std::move(child_end_));
  if (!head.empty()) {
    head_.emplace(parent_end_.get(), head);
    head_->write_some();
  }
  blob_.emplace(parent_end_.get(), spec.blob);
  if (!head_ || head_->done()) blob_->write_some();
}

std::unique_ptr<Child> Newborn::adopt(pid_t pid, Group group) {
  child_end_.reset();
  outputs_.out.its_end.reset();
  outputs_.err.its_end.reset();
  std::unique_ptr<Child> child = make_child(pid, group);
  child->start_relays();
  finish_records(*child);
  return child;
}

// Safe by pid: it is our own child, which nobody has waited for.
std::unique_ptr<Child> Newborn::make_child(pid_t pid, Group group) {
  ChildParts parts;
  parts.pid = pid;
  parts.pidfd = open_pidfd(pid);
  if (!parts.pidfd) {
    const int error = errno;
    kill_and_reap(pid);
    throw_spawn_failed(spec_, "pidfd_open", error);
  }
  parts.name = spec_.name;
  parts.lifeline = std::move(parent_end_);
  parts.leads_group = group == Group::own;
  parts.out = outputs_.out.relay;
  parts.err = outputs_.err.relay;
  try {
    return std::make_unique<Child>(std::move(parts));
  } catch (...) {  // the end of one more process cannot be watched
    kill_and_reap(pid);
    throw;
  }
}

void Newborn::finish_records(Child& child) {
  try {
    if (head_) head_->finish();
    blob_->finish();
  } catch (const std::system_error& broken) {
    const ExitStatus status = terminate(child, std::chrono::seconds(1));
    throw SpawnFailed("cannot spawn actor " + quoted_name(spec_.name) + ": its process " +
                      std::to_string(child.pid()) + " did not take its boot record (" +
                      errno_text(broken.code().value()) + ") and ended with " + status.to_string() +
                      "; a program must reach troupe's `init` or `run` when it is started anew" +
                      stderr_part(child.stderr_tail()));
  }
}

void kill_and_reap(pid_t pid) noexcept {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

}  // namespace troupe::detail

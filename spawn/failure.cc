// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/failure.h"

#include <unistd.h>

#include <cerrno>

#include "troupe/spawn/errors.h"

namespace troupe::detail {

namespace {

std::string advice(int error) {
  switch (error) {
    case EAGAIN:
      return "; the limit of processes is reached: raise it (ulimit -u, or the pids limit of the "
             "container) or run fewer actors at once";
    case EMFILE:
      return "; the limit of open files is reached: raise it (ulimit -n) or run fewer actors at "
             "once";
    case ENFILE:
      return "; the system's table of open files is full: see /proc/sys/fs/file-nr";
    case ENOMEM:
      return "; the system is out of memory: run fewer actors at once";
    case E2BIG:
      return "; argv and environment together are too large: see getconf ARG_MAX";
    case ENOENT:
    case EACCES:
      return "; check that /proc is mounted and that the program may still be executed";
    case ENOSYS:
      return "; troupe needs Linux 5.4 or later (some versions of valgrind lack this call, too)";
    default:
      return "";
  }
}

}  // namespace

void throw_spawn_failed(const SpawnSpec& spec, const char* step, int error) {
  throw SpawnFailed("cannot spawn actor " + quoted_name(spec.name) + " (from pid " +
                    std::to_string(::getpid()) + "): " + step + ": " + errno_text(error) +
                    advice(error));
}

void throw_spawn_usage(const SpawnSpec& spec, const std::string& what) {
  throw UsageError("cannot spawn actor " + quoted_name(spec.name) + ": " + what);
}

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/terminate.h"

#include <sys/socket.h>

#include <csignal>
#include <string>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"

namespace troupe {

namespace {

constexpr std::chrono::seconds teardown_limit{10};
// How long the command of a launcher may take to end in order after SIGTERM.
constexpr std::chrono::seconds command_grace{1};

std::string describe(const Child& child) {
  return "the process of actor " + detail::quoted_name(child.name()) + " (pid " +
         std::to_string(child.pid()) + ")";
}

bool ends_within(Child& child, std::chrono::nanoseconds limit) {
  CancelScope scope({.deadline = detail::saturating_add(current_time(), limit), .shield = true});
  scope.run([&] { child.wait(); });
  return child.wait_nowait().has_value();
}

// The actor at the far end ends itself when its line does, whatever the command makes of the
// signal.
void end_command(Child& child) {
  ::shutdown(child.lifeline_fd(), SHUT_WR);
  try {
    child.send_signal(SIGTERM);
  } catch (const Error&) {  // it is another user's, as sudo is
  }
  ends_within(child, command_grace);
}

}  // namespace

ExitStatus terminate(Child& child, std::chrono::nanoseconds grace) {
  if (grace < std::chrono::nanoseconds::zero()) {
    throw UsageError("the grace for " + describe(child) + " is negative; use 0 to kill it at once");
  }
  if (child.wait_nowait() && !child.leads_group()) return *child.status();
  if (ends_within(child, grace)) return *child.status();
  if (child.leads_group()) end_command(child);
  if (!child.status()) {
    child.kill();
    if (!ends_within(child, teardown_limit)) {
      log_message(LogLevel::error, "spawn",
                  describe(child) +
                      " was killed, but does not end; it is waited for no longer. Look for a dead "
                      "disk or network mount, or for a command that belongs to another user");
      return ExitStatus::unknown();
    }
  }
  return *child.status();
}

}  // namespace troupe

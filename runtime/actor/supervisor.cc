// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/supervisor.h"

#include <numeric>
#include <string>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

Decision cancel_others(const ChildEnd& end, const Children&) {
  return end.failed() ? Decision::cancel_all() : Decision::ignore();
}

Decision restart_from(std::size_t first, const Children& children) {
  std::vector<std::size_t> chosen(children.size() - first);
  std::iota(chosen.begin(), chosen.end(), first);
  return Decision::restart(std::move(chosen));
}

Decision restart_it(const ChildEnd& end, const Children&) {
  return end.wants_restart() ? Decision::restart({end.child}) : Decision::ignore();
}

Decision restart_all(const ChildEnd& end, const Children& children) {
  return end.wants_restart() ? restart_from(0, children) : Decision::ignore();
}

Decision restart_rest(const ChildEnd& end, const Children& children) {
  return end.wants_restart() ? restart_from(end.child, children) : Decision::ignore();
}

void check(const RestartLimits& limits) {
  const auto refuse = [](const char* what) {
    throw UsageError(std::string("a Supervisor's ") + what +
                     " is negative; give 0 or more (an intensity of 0 allows no restart)");
  };
  if (limits.intensity < 0) refuse("intensity");
  if (limits.period < std::chrono::nanoseconds::zero()) refuse("period");
  if (limits.backoff < std::chrono::nanoseconds::zero()) refuse("backoff");
}

}  // namespace

Supervisor::Supervisor(Strategy strategy, const RestartLimits& limits, bool restarts)
    : strategy_(std::move(strategy)), limits_(limits), restarts_(restarts) {
  check(limits_);
}

Supervisor one_cancels_all() {
  static const Supervisor all(Supervisor::Strategy(&cancel_others), {}, false);
  return all;
}

Supervisor one_for_one(RestartLimits limits) { return Supervisor(&restart_it, limits); }

Supervisor one_for_all(RestartLimits limits) { return Supervisor(&restart_all, limits); }

Supervisor rest_for_one(RestartLimits limits) { return Supervisor(&restart_rest, limits); }

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/clock.h"

#include <string>

namespace troupe {
namespace {

class SteadyClock final : public Clock {
 public:
  TimePoint now() noexcept override { return std::chrono::steady_clock::now(); }

  Duration real_time_until(TimePoint deadline) noexcept override {
    if (deadline == never) return Duration::max();
    const TimePoint present = now();
    return deadline <= present ? Duration::zero() : deadline - present;
  }
};

}  // namespace

bool Clock::jump_to(TimePoint) noexcept { return false; }

Clock& steady_clock() noexcept {
  static SteadyClock clock;
  return clock;
}

namespace detail {

void throw_bad_delay(const char* what) {
  throw UsageError(std::string("a delay ") + what +
                   "; give a duration of zero or more, or set an absolute deadline");
}

}  // namespace detail
}  // namespace troupe

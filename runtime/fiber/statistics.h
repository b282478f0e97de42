// SPDX-License-Identifier: Apache-2.0
#pragma once

// A few figures about the current run, for monitoring and for tests.

#include <cstddef>

#include "troupe/runtime/fiber/clock.h"

namespace troupe {

/// What can be told about a run. A value.
struct RunStatistics {
  std::size_t tasks_living = 0;    ///< Tasks that have not ended; system tasks count, too.
  std::size_t tasks_runnable = 0;  ///< Those of them that are ready, the calling one not counted.
  Duration time_to_next_deadline = Duration::max();  ///< Zero when overdue; max when there is none.
  std::size_t tasks_waiting_for_descriptors = 0;     ///< In `wait_readable` and `wait_writable`.
  std::size_t posted_functions = 0;                  ///< Posted by other threads and not yet run.
};

/// Figures of the run whose task calls. Takes time in the number of tasks. Never waits. Throws
/// `UsageError` outside of a task.
RunStatistics current_statistics();

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a loop of tasks is set up. Aggregate: name the fields you need.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

class Clock;
class Instrument;

/// How a loop runs its tasks.
struct FiberOptions {
  Clock* clock = nullptr;  ///< Where time comes from; null: the machine's clock.
  std::optional<std::uint64_t> schedule_seed =
      std::nullopt;  ///< Draws the order of tasks that are ready together; none: FIFO.
  std::size_t stack_size =
      256 * 1024;  ///< Octets of address space a task; memory only as it is touched.
  /// How long a loop that has nothing to do looks for events before it sleeps, so that nobody has
  /// to wake it. Other threads of the processor may run meanwhile.
  std::chrono::nanoseconds busy_poll{0};
  bool dump_on_sigusr1 = false;  ///< Whether SIGUSR1 prints the tree of tasks on stderr.
  std::vector<Instrument*> instruments = {};  ///< Hear of the run from its start.
};

}  // namespace troupe

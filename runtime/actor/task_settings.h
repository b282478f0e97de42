// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program says of the tasks of all its actors. It travels from parent to child in the boot
// record, since a program that calls `init` first knows its options only in the root.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// How the tasks of an actor, and of those that it starts, run. A value that crosses processes; see
/// `RunOptions` for what each means.
struct TaskSettings {
  std::size_t stack_size = 256 * 1024;           ///< Octets of address space per task.
  std::optional<std::uint64_t> schedule_seed{};  ///< Draws the order of ready tasks; none: FIFO.
  std::chrono::nanoseconds busy_poll{};          ///< How long they look before they sleep.
  bool tracebacks = true;                        ///< Whether errors know where they were thrown.
  std::string trace_file{};  ///< Where what they do is traced (`TROUPE_TRACE`); empty: nowhere.

  template <class Archive>
  void serialize(Archive& archive) {
    archive(stack_size, schedule_seed, busy_poll, tracebacks, trace_file);
  }
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all tasks of this thread's loop do at the moment, as text or as values: the first thing to
// look at when a program hangs. Under `FiberOptions::dump_on_sigusr1` the signal SIGUSR1 prints it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

class CancelScope;
template <class T>
class TaskStatus;

/// The tree of the loop's tasks and nurseries: each task with its name, the place at which it was
/// started, what it waits for and since when. One line each; of the children of one nursery a
/// thousand are shown, and the rest counted. Never waits. Throws `UsageError` where no loop runs.
std::string task_tree();

/// One task as it was at a moment. A value: it says the same when the task has ended.
struct TaskInfo {
  std::uint64_t id = 0;  ///< Given to no other task of the process.
  std::optional<std::uint64_t>
      parent;             ///< The task whose nursery it is in; none for the outermost.
  std::string name;       ///< As given, or the type of its closure.
  std::string waits_for;  ///< "Event::wait"; empty while it runs or is ready.
  std::string start;      ///< Where it was started: "theatre.cc:12".
  bool runs = false;      ///< Whether it is the one that asks.
  std::chrono::nanoseconds waits_since{};  ///< How long it has waited.
  const CancelScope* nursery = nullptr;    ///< The scope of its nursery: to compare, not to follow.
};

/// All tasks of the loop, parents before their children. Never waits. Throws `UsageError` where no
/// loop runs.
std::vector<TaskInfo> task_snapshot();

namespace detail {

/// Prints the tree on stderr whenever SIGUSR1 comes, until cancelled; a system task.
void dump_task_tree_on_sigusr1(TaskStatus<void>& ready);

}  // namespace detail
}  // namespace troupe

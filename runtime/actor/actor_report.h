// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an actor tells of itself to whoever looks at a running program: who it is, whom it has
// started, and what its tasks wait for. Plain values that travel; the form in which people see them
// is another matter (report_text.h).

#include <cstdint>
#include <string>
#include <vector>

#include "troupe/ipc/uid.h"

namespace troupe::detail {

/// One task of an actor, as it was at a moment.
struct TaskReport {
  std::uint64_t id = 0;          ///< Given to no other task of the process.
  std::uint64_t parent = 0;      ///< The task whose nursery it is in; 0: none.
  std::string name;              ///< As given, or the type of its closure.
  std::string start;             ///< Where it was started: "theatre.cc:12".
  std::string waits_for;         ///< In words; empty while it is ready.
  std::int64_t waits_since = 0;  ///< For how many nanoseconds.
  bool of_runtime = false;       ///< Whether it is one of troupe's own.

  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, parent, name, start, waits_for, waits_since, of_runtime);
  }
};

/// What a parent knows of a child without asking it.
struct ChildReport {
  Uid uid{};            ///< Who it is.
  int pid = 0;          ///< Its process.
  std::string address;  ///< Where it listens.

  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid.name, uid.uuid, pid, address);
  }
};

/// One actor.
struct ActorReport {
  Uid uid{};                           ///< Who it is.
  int pid = 0;                         ///< Its process.
  std::string host;                    ///< The name of its host, as that calls itself.
  std::vector<std::string> addresses;  ///< Where it listens, the first first.
  std::int64_t since = 0;              ///< Its start, in milliseconds of Unix time.
  Uid parent{};                        ///< Who started it; empty for a root.
  std::vector<ChildReport> children;   ///< Whom it has started and who has not ended, by pid.
  std::vector<TaskReport> tasks;       ///< Parents before their children.
  std::uint64_t tasks_left_out = 0;    ///< How many more tasks there are.

  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid.name, uid.uuid, pid, host, addresses, since, parent.name, parent.uuid, children,
            tasks, tasks_left_out);
  }
};

/// This process' actor, with or without its tasks. One of the functions that every actor lets its
/// peers call. Never waits.
ActorReport report_actor(bool with_tasks);

}  // namespace troupe::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a parent knows of one child actor, shared by the task that supervises it and by every portal
// to it: whether it is ready, and what became of it.

#include <sys/types.h>

#include <exception>
#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/event.h"

namespace troupe {

/// One incarnation of a child actor, from its spawn on.
struct ChildLink {
  Uid uid;                                ///< Chosen by the parent.
  Address address;                        ///< Where it listens; chosen by the parent.
  pid_t pid = 0;                          ///< Its process.
  UniqueFunction<void()> kill;            ///< Sends SIGKILL; empty once it has been reaped.
  Event ready;                            ///< It has registered and serves, or has failed to boot.
  std::optional<std::string> boot_error;  ///< Why it cannot serve.
  Event leave;                            ///< Its parent wants it to end in order.
  Event disconnected;                     ///< Its connection has ended.
  bool took_leave = false;                ///< Then: whether it said good-bye first.
  Event ended;                            ///< Its process has been reaped.
  std::exception_ptr death;               ///< Then: its `ActorDied`; null when it ended in order.
};

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a parent knows of one incarnation of a child actor, shared by the task that looks after it
// and by every portal to it: whether it is ready, what is wanted of it, and what became of it.

#include <sys/types.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

class Peer;

namespace detail {
struct AwaitedReport;
}

/// How long the fate of a child may take to be known once its connection is lost: its pidfd tells
/// within milliseconds unless the machine is busy.
inline constexpr auto verdict_limit = std::chrono::seconds(5);

/// Why the task that looks after an incarnation brings it to its end.
enum class Stop {
  no,       ///< It does not.
  ended,    ///< The process has ended.
  lost,     ///< The connection that its function was called over has ended.
  failed,   ///< Its function threw.
  left,     ///< It is to end in order, and for good.
  restart,  ///< It is to end in order, and to be started again.
};

/// One incarnation of a child actor, from its spawn on.
struct ChildLink {
  Uid uid;                      ///< Chosen by the parent.
  Address address;              ///< Where it listens; chosen by the parent.
  pid_t pid = 0;                ///< Its process.
  UniqueFunction<void()> kill;  ///< Sends SIGKILL; empty once it has been reaped.
  Event ready;                  ///< It serves, or has failed to boot, or its process has ended.
  bool serves = false;          ///< Whether it has come up.
  std::optional<std::string> boot_error;  ///< Why it cannot serve.

  // What is wanted of it, by others than the task that looks after it.

  Stop stop = Stop::no;   ///< Why it is to end; the first reason counts.
  bool returned = false;  ///< Its function has returned, and the task does not know yet.
  ParkingLot caretaker;   ///< Where that task waits for either.
  std::chrono::nanoseconds least_grace{};  ///< What whoever cancelled it gives it at the least.
  UniqueFunction<void()> hurry;  ///< The time that it has to end may be less now; empty: no hurry.
  UniqueFunction<void(std::chrono::nanoseconds)>
      end_for_good;              ///< Ends it in order, never to come back; empty once it is gone.
  std::weak_ptr<Peer> followed;  ///< The peer that leads to its successors, too.

  /// The report that it was asked for and has not given yet; null when there is none.
  std::shared_ptr<detail::AwaitedReport> awaited_report;

  // What became of it.

  Event disconnected;        ///< Its connection has ended.
  bool took_leave = false;   ///< Then: whether it said good-bye first.
  Event ended;               ///< Its process has been reaped.
  bool killed = false;       ///< Then: whether it outstayed its grace.
  std::exception_ptr death;  ///< Then: its `ActorDied`; null when it ended in order.

  /// Has the task end it, for this reason unless there is one. Never waits.
  void stop_for(Stop why) noexcept {
    if (stop == Stop::no) stop = why;
    caretaker.unpark_all();
  }
  /// Its function has returned. Never waits.
  void tell_returned() noexcept {
    returned = true;
    caretaker.unpark_all();
  }
};

}  // namespace troupe

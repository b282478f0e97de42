// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is there: asks every actor that can be found, all at once, what it has to tell. Actors are
// found at an arbiter or by the sockets in run directories, and then through each other: parents
// know their children, so an actor that hangs is seen, and so are those below it.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/auth.h"
#include "troupe/runtime/actor/tree_report.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {
class TaskNursery;
}

namespace troupe::tool {

/// One actor, with what is known of it.
struct Sighting {
  detail::Answer answer = detail::Answer::none;
  detail::ActorReport report{};      ///< Only what others know, unless the answer was given.
  std::vector<Address> addresses{};  ///< Where it listens, the nearest first.
  std::optional<Key> key{};          ///< Opens its door.
  std::optional<Portal> portal{};    ///< Only when it has answered.
};

/// How to look.
struct SurveyOptions {
  std::chrono::nanoseconds timeout{};  ///< For each actor.
  bool tasks = false;                  ///< Whether they tell of their tasks.
  std::string name{};                  ///< At an arbiter: only those of that name; empty: all.
};

/// The actors that an arbiter knows, and their children. Checkpoint. Throws `TransportClosed` when
/// no arbiter answers there.
std::vector<Sighting> survey_arbiter(const Address& arbiter, const SurveyOptions& options);

/// The actors of all trees that this user runs on this host. Checkpoint.
std::vector<Sighting> survey_own_trees(const SurveyOptions& options);

}  // namespace troupe::tool

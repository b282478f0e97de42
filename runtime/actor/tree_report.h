// SPDX-License-Identifier: Apache-2.0
#pragma once

// A tree of actors and what they do, asked for from its top: every actor asks its children, which
// ask theirs, each within a part of the time that the one above has. What SIGUSR1 prints.

#include <chrono>
#include <cstdint>
#include <vector>

#include "troupe/runtime/actor/actor_report.h"

namespace troupe {

class Actor;

namespace detail {

/// What came of asking an actor.
enum class Answer : std::uint8_t {
  given,  ///< It has reported.
  none,   ///< It did not answer in time.
  gone,   ///< It has ended meanwhile.
};

/// One actor of a tree.
struct TreeEntry {
  std::uint32_t depth = 0;        ///< How many actors are above it.
  Answer answer = Answer::given;  ///< Else the report holds only what its parent knows.
  ActorReport report;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(depth, answer, report);
  }
};

/// This actor with its tasks, and all below it: each parent before its children. One of the
/// functions that every actor lets its peers call. Takes `limit` at the longest: who has not
/// answered by then is in it by name only. Checkpoint.
std::vector<TreeEntry> report_tree(std::chrono::nanoseconds limit);

}  // namespace detail

/// If its program has asked for it: prints the tree from `actor` on, on stderr, whenever SIGUSR1
/// comes, in a task of its own. Signals that come while it prints count once. Checkpoint: from the
/// return on the signal does nothing else.
void report_tree_on_sigusr1_if_wanted(Actor& actor);

}  // namespace troupe

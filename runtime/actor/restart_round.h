// SPDX-License-Identifier: Apache-2.0
#pragma once

// One restart of one or several children of a nursery: they come down in the reverse order of their
// start, and when all are down they come up in that order. Each child's own task does its part and
// waits here for the others. A child may leave at any time, for a newer round or for good; then
// nobody waits for it.

#include <chrono>
#include <deque>
#include <vector>

#include "troupe/runtime/fiber/event.h"

namespace troupe {

class ChildSlot;

/// One restart. Shared by the children that take part.
class RestartRound {
 public:
  /// `members` in the order in which they were started. They are told apart by address alone.
  explicit RestartRound(const std::vector<ChildSlot*>& members);
  RestartRound(const RestartRound&) = delete;
  RestartRound& operator=(const RestartRound&) = delete;

  /// Waits until those that were started after `member` are down. Checkpoint.
  void wait_for_later(const ChildSlot& member);
  /// `member` is down. Never waits.
  void down(const ChildSlot& member) noexcept;
  /// Waits until all are down, then for `delay`, then until those that were started before `member`
  /// are up. Checkpoint.
  void wait_for_turn(const ChildSlot& member, std::chrono::nanoseconds delay);
  /// `member` is up. Never waits.
  void up(const ChildSlot& member) noexcept;
  /// `member` takes no further part. Never waits.
  void leave(const ChildSlot& member) noexcept;

 private:
  struct Part {
    const ChildSlot* member;
    Event down;
    Event up;
  };

  Part& part_of(const ChildSlot& member) noexcept;

  std::deque<Part> parts_;
};

}  // namespace troupe

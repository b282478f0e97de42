// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/restart_round.h"

#include <algorithm>

#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

RestartRound::RestartRound(const std::vector<ChildSlot*>& members) {
  for (const ChildSlot* member : members) parts_.emplace_back().member = member;
}

// Only members ask.
RestartRound::Part& RestartRound::part_of(const ChildSlot& member) noexcept {
  return *std::find_if(parts_.begin(), parts_.end(),
                       [&](const Part& part) { return part.member == &member; });
}

void RestartRound::wait_for_later(const ChildSlot& member) {
  const Part* own = &part_of(member);
  for (auto part = parts_.rbegin(); &*part != own; ++part) part->down.wait();
}

void RestartRound::down(const ChildSlot& member) noexcept { part_of(member).down.set(); }

void RestartRound::wait_for_turn(const ChildSlot& member, std::chrono::nanoseconds delay) {
  for (Part& part : parts_) part.down.wait();
  sleep(delay);
  const Part* own = &part_of(member);
  for (auto part = parts_.begin(); &*part != own; ++part) part->up.wait();
}

void RestartRound::up(const ChildSlot& member) noexcept { part_of(member).up.set(); }

void RestartRound::leave(const ChildSlot& member) noexcept {
  down(member);
  up(member);
}

}  // namespace troupe

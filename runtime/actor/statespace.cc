// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/statespace.h"

#include <unistd.h>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

// Constant-initialised, so that it is there whichever file's static initialisation comes first.
constinit detail::StateType* first_type = nullptr;

// By identity and not by name: two files may have types of one name.
const detail::StateType* find_type(const std::type_info& type) {
  const detail::StateType* known = first_type;
  while (known != nullptr && *known->type != type) known = known->next;
  return known;
}

std::string quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

}  // namespace

namespace detail {

bool link_state_type(StateType& type) noexcept {
  type.next = std::exchange(first_type, &type);
  return true;
}

}  // namespace detail

StateSpace::StateSpace(std::string owner, std::vector<StateEntry> entries)
    : owner_(std::move(owner)) {
  for (StateEntry& entry : entries) {
    slots_.insert_or_assign(std::move(entry.key),
                            Slot{{}, std::move(entry.type), std::move(entry.octets)});
  }
}

const std::any& StateSpace::find(std::string_view key, const std::type_info& type) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) {
    throw UsageError("actor '" + owner_ + "' (pid " + std::to_string(::getpid()) + ") has no " +
                     quoted(key) +
                     " in its statespace; set it first, or give it along in the actor's options");
  }
  Slot& slot = found->second;
  if (slot.value.has_value()) {
    if (slot.value.type() != type) throw_other_type(key, slot, type);
    return slot.value;
  }
  const detail::StateType* known = find_type(type);
  if (known == nullptr || slot.type != detail::signature_text(type)) {
    throw_other_type(key, slot, type);
  }
  slot.value = known->decode(slot.octets);
  slot.octets = {};
  return slot.value;
}

void StateSpace::put(std::string key, std::any value) {
  slots_.insert_or_assign(std::move(key), Slot{std::move(value), {}, {}});
}

void StateSpace::throw_other_type(std::string_view key, const Slot& slot,
                                  const std::type_info& wanted) const {
  const std::string held =
      slot.value.has_value() ? detail::signature_text(slot.value.type()) : slot.type;
  throw UsageError("in the statespace of actor '" + owner_ + "' (pid " +
                   std::to_string(::getpid()) + ") " + quoted(key) + " is of type " + held +
                   " and not " + detail::signature_text(wanted) + "; ask for get<" + held + ">");
}

bool StateSpace::contains(std::string_view key) const { return slots_.find(key) != slots_.end(); }

bool StateSpace::erase(std::string_view key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return false;
  slots_.erase(found);
  return true;
}

}  // namespace troupe

// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/current_actor.h"

#include <unistd.h>

#include <utility>

#include "troupe/runtime/actor/actor.h"

namespace troupe {

const Uid& CurrentActor::uid() const { return Actor::current().uid(); }

pid_t CurrentActor::pid() const { return ::getpid(); }

Address CurrentActor::address() const { return Actor::booted().address(); }

const std::optional<Uid>& CurrentActor::parent_uid() const {
  return Actor::current().config().parent;
}

bool CurrentActor::is_root() const { return Actor::current().is_root(); }

bool CurrentActor::is_arbiter() const {
  Actor& actor = Actor::booted();
  return actor.directory().arbiters().front().uid == actor.uid();
}

StateSpace& CurrentActor::statespace() const { return Actor::current().statespace(); }
void CurrentActor::on_exit(UniqueFunction<void()> fn) const {
  Actor::current().on_exit(std::move(fn));
}

CurrentActor current_actor() {
  static_cast<void>(Actor::current());
  return {};
}

Portal get_parent() {
  Actor& actor = Actor::booted();
  if (actor.is_root()) {
    throw UsageError("the root actor '" + actor.uid().name + "' has no parent");
  }
  return actor.portal(*actor.config().parent, actor.config().parent_address);
}

Portal get_root() {
  Actor& actor = Actor::booted();
  return actor.portal(actor.is_root() ? actor.entry() : *actor.config().root);
}

}  // namespace troupe

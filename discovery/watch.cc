// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/watch.h"

#include "troupe/runtime/actor/actor.h"

namespace troupe::detail {

void watch_actors(const std::string& prefix, const std::function<void(ActorEvents&)>& body) {
  Actor::booted().directory().watch(prefix, [&](ActorEventSource& source) {
    ActorEvents events(source);
    body(events);
  });
}

}  // namespace troupe::detail

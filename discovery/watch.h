// SPDX-License-Identifier: Apache-2.0
#pragma once

// Being told who joins and leaves, instead of asking again and again.

#include <concepts>
#include <string>
#include <utility>

#include "troupe/discovery/actor_event.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {

/// What the body of `watch_actors` receives from: an input range of events.
using ActorEvents = MemoryReceiveChannel<ActorEvent>;

namespace detail {

/// Starts tasks in `nursery` that bring the events of all arbiters, and waits until these know of
/// the watch.
ActorEvents start_watching(TaskNursery& nursery, const std::string& prefix);

}  // namespace detail

/// Runs `body(ActorEvents&)` with what the arbiter tells of the actors whose names begin with
/// `prefix` (empty: of all): those that are there, as `joined`, and then who joins and who leaves,
/// however that comes. Nobody who registers after the body has begun is missed. Several arbiters
/// tell one story. Ends when the body does, and returns what
/// it returns. Checkpoint. The body is cancelled and an error leaves when no arbiter can tell any
/// more (`TransportClosed`; who is there is known anew by watching again) and when the body is
/// thousands of events behind (`StreamOverrun`).
template <std::invocable<ActorEvents&> Body>
auto watch_actors(const std::string& prefix, Body&& body) {
  return open_task_nursery([&](TaskNursery& n) {
    ActorEvents events = detail::start_watching(n, prefix);
    struct EndWithBody {
      TaskNursery& n;
      ~EndWithBody() { n.cancel("watch_actors ends"); }
    } const end{n};
    return body(events);
  });
}

}  // namespace troupe

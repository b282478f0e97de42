// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clusters: several equal actors at once, started side by side, for work that is handed out by
// their number. They leave when the body and its tasks have ended.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/actor/actor_nursery.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/fiber/capacity.h"

namespace troupe {

/// The actors of a cluster. All are started alike.
struct ClusterOptions {
  std::optional<Capacity> count{};       ///< How many; as many as names, or as processors.
  std::vector<std::string> names{};      ///< What each is called; else "<this actor>.worker_0"...
  std::vector<Module> enable_modules{};  ///< What may be called in them.
  ActorOptions actor{};                  ///< All else; its name and modules are not looked at.
  Supervisor supervise = one_cancels_all();  ///< What is done when one ends.
};

namespace detail {

/// Starts the actors side by side, and returns their portals in order.
std::vector<Portal> start_cluster(ActorNursery& nursery, const ClusterOptions& options);

}  // namespace detail

/// What the body of a cluster may be: a callable that takes the portals, or the nursery and the
/// portals.
template <class Body>
concept ClusterBody = std::invocable < Body&,
        ActorNursery&, std::vector<Portal>
& > || std::invocable<Body&, std::vector<Portal>&>;

/// Opens a nursery with several equal actors, and runs `body` with their portals, in the order of
/// their names. When the body has ended, and whatever else it started in the nursery, the actors
/// leave in order; the rest is as with `open_nursery`. Checkpoint. Throws `SpawnFailed` when one
/// cannot be started, `UsageError` when names and count do not agree.
///
///     open_actor_cluster({.count = 4, .enable_modules = {mill}}, [](const std::vector<Portal>&
///     all) {
///       for (std::size_t i = 0; i < all.size(); ++i) all[i].run<&grind>(i);
///     });
template <ClusterBody Body>
auto open_actor_cluster(ClusterOptions options, Body&& body) {
  // Outlives the body: tasks that it has started may refer to them.
  std::vector<Portal> portals;
  return open_nursery({.supervise = options.supervise}, [&](ActorNursery& nursery) {
    portals = detail::start_cluster(nursery, options);
    if constexpr (std::invocable<Body&, ActorNursery&, std::vector<Portal>&>) {
      return body(nursery, portals);
    } else {
      return body(portals);
    }
  });
}

}  // namespace troupe
